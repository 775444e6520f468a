"""Run apm: `python app.py demo` serves a demo hospital, `python app.py --help` says the rest."""

from apm.cli import main

if __name__ == "__main__":
    main()
