"""The office is made of real machines, and its client is well."""

import time

from groundskeeper.lab.felt import Samples, Service, impact_ms, unwell


def watched(lab, seconds):
    """The chair's samples of the next seconds, and the two ends of that time."""
    samples = Samples(lab.run_folder / "chair.samples")
    begin = time.monotonic_ns()
    time.sleep(seconds)
    end = time.monotonic_ns()
    time.sleep(0.15)
    found = samples.new()
    samples.close()
    return found, begin, end


def test_every_machine_booted_without_a_failed_unit(office):
    for plan in office.office.machines:
        machine = office.machine(plan.name)
        assert machine.run("systemctl", "is-system-running").stdout.strip() == "running"


def test_every_service_answers_the_client_every_10_ms(office):
    found, begin, end = watched(office, 2.0)
    assert impact_ms(found, begin, end) == 0.0, unwell(found, begin, end)
    often = {service: sum(sample.service is service for sample in found) for service in Service}
    assert all(often[service] > 150 for service in (Service.NAME, Service.WEB, Service.UPLOAD, Service.DB))
    assert often[Service.SSH] > 15


def test_the_client_feels_a_killed_web_server_and_its_return(office):
    web = office.machine("web-1")
    samples = Samples(office.run_folder / "chair.samples")
    begin = time.monotonic_ns()
    web.kill(web.pids("nginx"))
    time.sleep(0.3)
    web.run("systemctl", "start", "nginx")
    time.sleep(0.3)
    end = time.monotonic_ns()
    time.sleep(0.15)
    spans = unwell(samples.new(), begin, end)
    samples.close()
    assert set(spans) == {Service.WEB, Service.UPLOAD}
    [down] = spans[Service.WEB]
    assert 250e6 < down.end - down.begin < 550e6


def test_the_printer_answers_snmp(office):
    """A GET of sysDescr.0, community public, as RFC 1157 and RFC 3416 encode it."""
    asked = "3026020101 0406 7075626c6963 a019 020101 020100 020100 300e 300c 0608 2b06010201010100 0500"
    program = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2);"
        f"s.sendto(bytes.fromhex({asked!r}), ('10.77.1.30', 161)); print(s.recv(500))"
    )
    assert "Office laser printer" in office.machine("workstation").run("python3", "-c", program).stdout


def test_a_reboot_and_a_power_cut_keep_what_is_on_the_disks(office):
    printer = office.machine("printer")
    printer.run("sh", "-c", "echo kept > /var/lib/kept; sync")
    boots = printer.boots
    printer.reboot()
    assert printer.run("cat", "/var/lib/kept").stdout == "kept\n"
    printer.cut_power()
    printer.start()
    assert printer.run("cat", "/var/lib/kept").stdout == "kept\n"
    assert printer.boots == boots + 2


def test_a_server_that_was_cut_off_answers_as_soon_as_it_is_back(office):
    web = office.machine("web-1")
    web.cut_power()
    web.start()
    time.sleep(1.0)
    found, begin, end = watched(office, 0.5)
    assert not {Service.WEB, Service.SSH} & set(unwell(found, begin, end))
