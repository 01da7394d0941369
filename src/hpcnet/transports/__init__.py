"""Ways to a site, one file each: they carry text and files and understand neither."""
