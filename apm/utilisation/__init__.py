"""What equipment does all day, read off its sensors: hours, starts, counts and energy."""
