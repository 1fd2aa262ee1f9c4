"""A tool writes a dead name server into the workstation's resolv.conf → names are found again.

monit has no test of what names resolve to, so it is not compared.

usage: make bench NAME=resolver [ARGS="--n 10"]
"""

from felt import main

if __name__ == "__main__":
    main("resolver", "resolver-overwritten")
