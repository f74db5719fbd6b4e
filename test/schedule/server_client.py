#!/usr/bin/env python3
# server_client.py - asks a program that serves schedules (rtl/control/schedule_server.h) for runs, and prints how each ended.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#   server_client.py [--time] [--options=START] [--request=OPTIONS]... [--repeat=N] [--kill] program args...
#
# Each request is a run; %d in it is the number of the repetition. --kill: a run is killed as soon as it has started; --drop: the client
# goes away with a run under way, and waits until nothing of the server is left.
import argparse
import array
import os
import signal
import socket
import subprocess
import sys
import time

LIMIT = 60


def fail(what):
    sys.exit("server_client.py: " + what)


class Server:
    def __init__(self, options, command):
        self.link, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.link.settimeout(LIMIT)
        environment = dict(os.environ, CSPTHREAD_OPTIONS="%s:schedule_server=%d" % (options, other.fileno()))
        self.process = subprocess.Popen(command, env=environment, pass_fds=[other.fileno()])
        other.close()

    def receive(self):
        try:
            return self.link.recv(4096).decode()
        except socket.timeout:
            fail("no answer in %d s" % LIMIT)
        except ConnectionResetError:
            return ""

    def ask(self, request, fds):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        self.link.sendmsg([request.encode()], rights)

    def run(self, request, fds=(1, 2), kill=False):
        self.ask(request, fds)
        started = self.receive()
        if not started.startswith("started "):
            return started
        if kill:
            os.kill(-int(started.split()[1]), signal.SIGKILL)
        return self.receive()


def drop(server, request):
    server.ask(request, (1, 2))
    pid = int(server.receive().split()[1])
    server.link.close()
    server.process.wait(timeout=LIMIT)
    until = time.monotonic() + LIMIT
    while os.path.exists("/proc/%d" % pid) and time.monotonic() < until:
        if open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[0] == "Z":
            break  # nobody reaps here: it has ended
        time.sleep(0.01)
    else:
        if os.path.exists("/proc/%d" % pid):
            fail("the run goes on without its server")
    print("nothing is left")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--options", default="")
    parser.add_argument("--request", action="append", default=[])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--drop", action="store_true")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    server = Server(args.options, args.command)
    first = server.receive()
    print(first, flush=True)
    if first != "ready":
        print("status", server.process.wait(timeout=LIMIT))
        return
    if args.drop:
        return drop(server, args.request[0])
    begin = time.monotonic()
    for i in range(args.repeat):
        for request in args.request:
            answer = server.run(request.replace("%d", str(i)), kill=args.kill)
            if not args.quiet:
                word, _, status = answer.partition(" ")
                if word == "ended":
                    status = "signal %d" % os.WTERMSIG(int(status)) if os.WIFSIGNALED(int(status)) else str(
                        os.waitstatus_to_exitcode(int(status)))
                print(word, status, flush=True)
    if args.time:
        runs = args.repeat * len(args.request)
        print("%d runs, %.2f ms each" % (runs, (time.monotonic() - begin) * 1000 / runs))
    server.link.send(b"quit")
    if server.process.wait(timeout=LIMIT) != 0:
        fail("the server ended with %d" % server.process.returncode)


main()
