"""`python -m apm` is `apm`."""

from apm.cli import main

if __name__ == "__main__":
    main()
