"""Which of a machine's mounts are watched: tables as recorded on real machines."""

import pytest

from groundskeeper.subsystems.disk.mounts import mounted_writable_on_purpose, parse_mounts, worth_watching

DEBIAN_WITH_DOCKER = r"""
22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
24 28 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=4018568k,nr_inodes=1004642,mode=755,inode64
26 28 0:23 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=806596k,mode=755,inode64
28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
29 22 0:6 / /sys/kernel/security rw,nosuid,nodev,noexec,relatime shared:8 - securityfs securityfs rw
30 24 0:24 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw,inode64
32 22 0:26 / /sys/fs/cgroup rw,nosuid,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
36 23 0:30 / /proc/sys/fs/binfmt_misc rw,relatime shared:15 - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0,minproto=5
60 28 254:15 / /boot/efi rw,relatime shared:30 - vfat /dev/vda15 rw,fmask=0022,dmask=0022
61 28 254:1 /srv/www /var/www rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
70 28 0:50 / /tmp rw,nosuid,nodev shared:40 - tmpfs tmpfs rw,size=4033000k,nr_inodes=1048576,inode64
88 28 254:16 / /mnt/back\040up rw,relatime shared:55 - xfs /dev/vdb rw,attr2,inode64
90 28 0:61 / /var/lib/docker/overlay2/ab12/merged rw,relatime shared:60 - overlay overlay rw,upperdir=/y
91 28 0:62 / /var/lib/docker/containers/ab12/mounts/shm rw,nosuid,nodev shared:61 - tmpfs shm rw,size=65536k
95 28 7:0 / /snap/core22/1122 ro,nodev,relatime shared:70 - squashfs /dev/loop0 ro,errors=continue
99 28 0:77 / /mnt/filer rw,relatime shared:80 - nfs4 filer:/export rw,vers=4.2,hard,proto=tcp
101 26 0:80 / /run/user/1000/doc rw,nosuid,nodev,relatime shared:90 - fuse.portal portal rw,user_id=1000,group_id=1000
"""

NSPAWN = """
500 480 0:120 / / rw,relatime - overlay web-1 rw,lowerdir=/a,upperdir=/b,workdir=/c
501 500 0:121 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw,size=1233424k,nr_inodes=409600
502 500 0:122 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
503 502 0:122 /sys /proc/sys ro,nosuid,nodev,noexec,relatime - proc proc rw
505 500 254:0 /usr/lib/os-release /run/host/os-release ro,nosuid,nodev - ext4 /dev/vda rw
510 500 7:4 / /var rw,relatime - ext4 /dev/loop4 rw
"""


def watched(table: str) -> list[str]:
    return [mount.point for mount in worth_watching(parse_mounts(table))]


def test_real_disks_count_once_and_the_kernels_own_filesystems_do_not() -> None:
    assert watched(DEBIAN_WITH_DOCKER) == ["/", "/boot/efi", "/mnt/back up", "/mnt/filer", "/tmp"]


def test_the_root_of_a_container_counts_though_it_is_an_overlay() -> None:
    assert watched(NSPAWN) == ["/", "/tmp", "/var"]


def test_a_mount_over_another_hides_it() -> None:
    over = NSPAWN + "511 510 7:4 / /var ro,relatime - ext4 /dev/loop4 rw\n"
    assert [mount.read_only for mount in worth_watching(parse_mounts(over)) if mount.point == "/var"] == [True]


@pytest.mark.parametrize(
    ("mount_options", "disk_options", "stopped"),
    [
        ("rw,relatime", "rw,errors=remount-ro", False),
        ("ro,relatime", "rw", True),
        ("rw,relatime", "ro,errors=remount-ro", True),
        ("rw,relatime", "rw,errors=remount-ro,emergency_ro", True),
    ],
)
def test_it_is_read_only_by_the_mount_or_by_the_disk_or_by_an_error(
    mount_options: str, disk_options: str, stopped: bool
) -> None:
    line = f"28 1 254:1 / / {mount_options} shared:1 master:2 - ext4 /dev/vda1 {disk_options}"
    assert [mount.read_only for mount in parse_mounts(line)] == [stopped]


def test_a_server_is_not_asked_as_if_it_could_not_hang() -> None:
    assert {mount.point for mount in worth_watching(parse_mounts(DEBIAN_WITH_DOCKER)) if not mount.local} == {
        "/mnt/filer"
    }


def test_lines_that_are_no_mounts_are_left_out() -> None:
    assert parse_mounts("\n28 1 254:1 / /\nnonsense\n") == []


def test_fstab_says_what_should_be_writable() -> None:
    fstab = "# /dev/old / ext4 rw 0 1\nUUID=1 / ext4 errors=remount-ro 0 1\n"
    fstab += "/dev/sr0 /media/cd iso9660 ro,user 0 0\n\nx /mnt/a\\040b xfs rw 0 0\n"
    assert mounted_writable_on_purpose(fstab) == {"/", "/mnt/a b"}
