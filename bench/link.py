"""The web server's network card is switched off → the client reaches it again, through the gateway.

usage: make bench NAME=link [ARGS="--n 10"]
"""

from felt import main

MEND = "#!/bin/sh\n/sbin/ip link set eth0 up\n/sbin/ip route replace default via 10.77.2.1\n"
RC = """\
check network card with interface eth0
  start program = "/bin/sh /opt/mend.sh"
  stop program = "/bin/true"
  if failed link then restart
"""

if __name__ == "__main__":
    main("link", "link-down", RC, {"/opt/mend.sh": MEND})
