"""What runs share."""

from __future__ import annotations

from tests.pipeline.conftest import servers

__all__ = ["servers"]
