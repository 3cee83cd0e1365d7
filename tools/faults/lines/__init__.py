"""One file for each kind of fault; the table of all lines is in `lines.table`."""
