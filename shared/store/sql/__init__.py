"""What the stores on SQL databases share: every statement that is the same in all of them."""
