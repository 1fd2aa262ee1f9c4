"""Rotated logs fill the disk → what the client uploads is stored again.

usage: make bench NAME=disk [ARGS="--n 10"]
"""

from felt import main

CLEAN = "#!/bin/sh\nfind /var/log -type f \\( -name '*.[0-9]' -o -name '*.gz' -o -name '*.[0-9][0-9]' \\) -delete\n"
RC = """\
check filesystem var with path /var
  if space usage > 90% then exec "/bin/sh /opt/clean.sh"
"""

if __name__ == "__main__":
    main("disk", "disk-full-of-logs", RC, {"/opt/clean.sh": CLEAN})
