"""`python -m mirrorspec.cli`: the command line of exactly this interpreter, wherever its folder was moved to."""

from __future__ import annotations

from mirrorspec.cli.main import main

if __name__ == "__main__":
    main()
