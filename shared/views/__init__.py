"""What a class of a generic feed looks like as a typed view: its columns, and where in the tables their values are."""
