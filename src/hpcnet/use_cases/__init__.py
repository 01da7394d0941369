"""Pure, one file each: parameters in the words of a field become a job spec."""
