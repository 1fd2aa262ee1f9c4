"""A small company of real Debian machines on one Linux host, its faults, storms and scores.

`Lab` raises an office and takes it down again; `Machine` is one computer in it. The lab leaves nothing behind, however
its owner process ends: what it makes lives in namespaces, which end with their last process, or under one cgroup and
one folder in /run, which the reaper removes.
"""

from groundskeeper.lab.lab import Lab
from groundskeeper.lab.machine import Machine
from groundskeeper.lab.office import Office, load_office

__all__ = ["Lab", "Machine", "Office", "load_office"]
