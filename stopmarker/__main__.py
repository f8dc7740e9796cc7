"""`python -m stopmarker` is the command `stopmarker`."""

from tools.entry import main

if __name__ == "__main__":
    main()
