#!/usr/bin/env python3
# endpoint.py - the debug endpoint, seen by a client: pages, bad requests, scrapes while ten thousand coroutines come and go.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import concurrent.futures
import http.client
import re
import socket
import subprocess
import sys

PROGRAM = sys.argv[1]


def check(what, *seen):
    if not what:
        raise AssertionError(seen)


def start(what):
    p = subprocess.Popen([PROGRAM, what], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p, int(p.stdout.readline())


def get(port, path, method="GET", body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request(method, path, body)
    r = c.getresponse()
    text = r.read().decode()
    c.close()
    return r.status, r.headers, text


def pages(port):
    status, headers, text = get(port, "/debug/csp/coroutines")
    check(status == 200 and headers["Content-Type"].startswith("text/plain"), status, text)
    check(re.search(r"^3 \[chan receive\], for up to .*: coroutine 2 3 4$", text, re.M), text)
    check("waits_in_vain" in text, text)
    check(get(port, "/debug/csp/coroutines?debug=1")[2].count("[chan receive]") == 1)
    each = get(port, "/debug/csp/coroutines?debug=2")[2]
    check(each.count("[chan receive]:\n") == 3 and "coroutine 1 [sleep]:\n" in each, each)
    leaks = get(port, "/debug/csp/leaks?parked=1")[2]
    check(re.match(r"3 coroutines\n3 parked in chan receive for \d+ ms, called by waits_in_vain", leaks), leaks)
    check(get(port, "/debug/csp/leaks")[2] == "0 coroutines\n")
    status, headers, text = get(port, "/metrics")
    check(status == 200 and "version=0.0.4" in headers["Content-Type"], headers)
    check('csp_coroutines_parked{reason="recv"} 3\n' in text and text.endswith("\n"), text)
    check("/metrics" in get(port, "/")[2])
    check(get(port, "/metrics", "HEAD")[::2] == (200, ""))


def bad_requests(port):
    check(get(port, "/nothing")[0] == 404)
    check(get(port, "/debug/csp/coroutines/")[0] == 404)
    check(get(port, "/debug/csp/coroutines?debug=3")[0] == 400)
    status, headers, _ = get(port, "/metrics", "POST", "x" * 100000)
    check(status == 405 and headers["Allow"] == "GET, HEAD", status, headers)
    check(get(port, "/", "DELETE")[0] == 405)
    for garbage in (b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 100000):
        with socket.create_connection(("127.0.0.1", port), 60) as s:
            try:
                s.sendall(garbage)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
            except OSError:
                pass
    check(get(port, "/")[0] == 200)


def scrapes(port):
    paths = ["/metrics", "/debug/csp/coroutines", "/debug/csp/coroutines?debug=2"] * 5
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for path, (status, _, text) in zip(paths, pool.map(lambda path: get(port, path), paths)):
            check(status == 200 and len(text) > 300, path, status, text)
    ended = [int(re.search(r"^csp_coroutines_ended_total (\d+)$", get(port, "/metrics")[2], re.M)[1]) for _ in range(2)]
    check(ended[0] <= ended[1] and ended[1] > 0, ended)  # the program went on


check(subprocess.run([PROGRAM, "addresses"], timeout=60).returncode == 0)
process, at = start("wait")
pages(at)
bad_requests(at)
check(process.poll() is None)
process.kill()
process, at = start("churn")
scrapes(at)
check(process.poll() is None)
process.kill()
# Serving does not hide that all are asleep.
process, at = start("deadlock")
check(process.wait(60) == 2)
check("all coroutines are asleep - deadlock!" in process.stderr.read())
