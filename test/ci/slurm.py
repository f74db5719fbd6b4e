#!/usr/bin/env python3
# slurm.py - the Slurm recipe, on a cluster of one node that this test starts and stops: munged, slurmctld, slurmd.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Everything lies in one folder below the build tree and listens on loopback, on ports that were free. The daemons are our
children, and what they leave behind becomes ours (PR_SET_CHILD_SUBREAPER), so that all of it ends when we do.

Exit status 77, with the reason: the daemons are not installed, or may not run here.
"""

import argparse
import ctypes
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import recipes

SKIP = 77
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None, use_errno=True)


def skip(why):
    print("skipped: " + why)
    sys.exit(SKIP)


def find_programs():
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = {name: shutil.which(name, path=path) for name in ("munged", "slurmctld", "slurmd", "sbatch", "sinfo", "scancel")}
    missing = sorted(name for name, where in found.items() if not where)
    if missing:
        skip("not installed: " + ", ".join(missing))
    return found


def find_free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


CONFIGURATION = """
ClusterName=csptest
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,batch_sched_delay=0,defer_batch
ReturnToService=2
KillWait=2
MinJobAge=60
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


class Cluster:
    def __init__(self, folder, programs):
        self.folder, self.programs, self.daemons = folder, programs, []
        self.environment = dict(os.environ, SLURM_CONF=os.path.join(folder, "slurm.conf"))
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def start_daemon(self, name, *arguments):
        def die_with_us():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

        with open(os.path.join(self.folder, name + ".out"), "w", encoding="utf-8") as log:
            daemon = subprocess.Popen([self.programs[name], *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      env=self.environment, preexec_fn=die_with_us, start_new_session=True)
        self.daemons.append((name, daemon))

    def start(self):
        ctld_port, slurmd_port = find_free_ports(2)
        for name in ("state", "spool"):
            os.mkdir(os.path.join(self.folder, name), 0o755)
        with open(self.environment["SLURM_CONF"], "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(folder=self.folder, ctld_port=ctld_port, slurmd_port=slurmd_port,
                                            user=getpass.getuser(), cpus=os.cpu_count()))
        key = os.path.join(self.folder, "munge.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(128))
        f = self.folder
        # --force: it would not trust a folder that others of the group may write to
        self.start_daemon("munged", "--foreground", "--force", "--key-file=" + key, "--socket=%s/munge.socket" % f,
                          "--pid-file=%s/munged.pid" % f, "--log-file=%s/munged.log" % f, "--seed-file=%s/munge.seed" % f,
                          "--num-threads=2")
        self.wait_for("munged's socket", lambda: os.path.exists(f + "/munge.socket"))
        self.start_daemon("slurmctld", "-D", "-i", "-f", self.environment["SLURM_CONF"])
        self.start_daemon("slurmd", "-D", "-N", "localhost", "-f", self.environment["SLURM_CONF"])
        self.wait_for("an idle node", self.has_idle_node)

    def has_idle_node(self):
        try:
            done = subprocess.run([self.programs["sinfo"], "-h", "-o", "%T"], env=self.environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, timeout=20)
        except subprocess.TimeoutExpired:
            return False
        return done.stdout.strip() == b"idle"

    def wait_for(self, what, is_there):
        """Skips the test when a daemon refuses to run, or what is waited for does not come."""
        end = time.monotonic() + 60
        while not is_there():
            for name, daemon in self.daemons:
                if daemon.poll() is not None:
                    skip("%s ended with status %d:\n%s" % (name, daemon.returncode, self.logs()))
            if time.monotonic() > end:
                skip("no %s within a minute:\n%s" % (what, self.logs()))
            time.sleep(0.05)

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
                    text += "--- %s\n%s" % (name, file.read()[-3000:])
        return text

    def stop(self):
        """The daemons, then whatever is still ours: job steps that lost their parent."""
        for _, daemon in reversed(self.daemons):
            daemon.terminate()
        for _, daemon in reversed(self.daemons):
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            children = find_children(os.getpid())
            if not children:
                return
            for child in children:
                try:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                except (ProcessLookupError, ChildProcessError):
                    pass


def find_children(parent):
    children = []
    for task in os.listdir("/proc/%d/task" % parent):
        with open("/proc/%d/task/%s/children" % (parent, task), encoding="ascii") as file:
            children += [int(word) for word in file.read().split()]
    return children


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=os.path.abspath)
    options = parser.parse_args()
    programs = find_programs()
    # A socket's path has at most 107 bytes.
    folder = tempfile.mkdtemp(prefix="slurm-", dir=os.path.join(options.build, "test"))
    if len(folder) > 90:
        os.rmdir(folder)
        skip("the path of the build tree is too long for a socket: " + folder)
    cluster = Cluster(folder, programs)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ctest's timeout: stops the daemons below
    try:
        cluster.start()
        recipes.check_recipe("slurm-array.sh", options.build, os.path.join(folder, "work"), cluster.environment,
                             {"CSP_SBATCH": "--ntasks=1 --cpus-per-task=1"})
    except BaseException:
        print(cluster.logs())
        raise
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
