"""The web server hangs (every process of it stopped) → it answers the client again.

usage: make bench NAME=hung [ARGS="--n 10"]
"""

from felt import main

RC = """\
check host web with address 127.0.0.1
  start program = "/bin/systemctl start nginx"
  stop program = "/bin/systemctl kill -s KILL nginx"
  if failed port 80 protocol http with timeout 1 seconds then restart
"""

if __name__ == "__main__":
    main("hung", "web-hung", RC)
