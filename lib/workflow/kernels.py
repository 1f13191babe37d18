"""Fork the kernel of a notebook from a process that has imported most of what it needs.

A kernel of its own takes two seconds of imports to start; papermill is told to take a forked one.
"""

import math
import multiprocessing
import os
import queue
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from lib.parallel import try_item

Command = tuple[Sequence[str], Mapping[str, str], str]
"""Arguments, environment and folder of a kernel."""
LAUNCHER: str = "ipykernel_launcher"  # the module that starts a Python kernel


class KernelProcess:
    """A forked process that becomes a kernel as soon as it gets its command.

    It has the methods of `subprocess.Popen` that Jupyter calls.

    Args:
        modules: Imported at once, before the command comes.
    """

    stdin = stdout = stderr = None

    def __init__(self, modules: Sequence[str] = ()) -> None:
        fork = multiprocessing.get_context("fork")
        receiver, self._sender = fork.Pipe(duplex=False)
        self._process = fork.Process(target=_become_kernel, args=(receiver, self._sender, modules))
        self._process.start()
        receiver.close()
        self.pid = self._process.pid or 0

    def launch(self, command: Command) -> None:
        """Start the kernel."""
        self._sender.send(command)
        self.close()

    def close(self) -> None:
        """End the process if its kernel was not started."""
        self._sender.close()

    def poll(self) -> int | None:
        """Return the exit code, None while the process runs."""
        return self._process.exitcode

    def wait(self) -> int | None:
        """Wait for the end and return the exit code."""
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask the process to end."""
        self._process.terminate()


class ForkedProvisioner(LocalProvisioner):
    """Gives a kernel manager a process that waits for its command."""

    waiting: KernelProcess

    async def launch_kernel(self, cmd: list[str], **options: object) -> KernelConnectionInfo:
        """Start the kernel in the waiting process, or as Jupyter does if that has died."""
        folder = str(options.get("cwd") or Path.cwd())
        environment = dict(os.environ) | {"JPY_PARENT_PID": str(os.getpid())}
        try:
            arguments = cmd[cmd.index(LAUNCHER) + 1 :]
            self.waiting.launch((arguments, environment, folder))
        except (OSError, ValueError):  # it has died, or the command is another program's
            self.waiting.close()
            return await super().launch_kernel(cmd, **options)
        self.process = self.waiting  # type: ignore[assignment]  # as good as a Popen
        self.pid = self.pgid = self.waiting.pid
        self.cwd = folder
        return self.connection_info


class PromptClient(AsyncKernelClient):
    """A client that takes a kernel for ready as soon as it says that it is idle.

    Jupyter's own then waits 0.2 s more, in case that there are messages about something else.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its messages arrive.

        Args:
            timeout: In seconds; `None` for none.

        Raises:
            RuntimeError: It died or took longer.
        """
        ends = time.monotonic() + (math.inf if timeout is None else timeout)
        while not await self._is_idle(self.kernel_info()):
            if not await self.is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > ends:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    async def _is_idle(self, request: str) -> bool:
        """Wait for the reply to a request, and for the message that it has been dealt with."""
        try:
            self._handle_kernel_info_reply(await self.get_shell_msg(timeout=1))
            while True:  # what came before is about earlier requests
                message = await self.get_iopub_msg(timeout=0.2)
                about, state = message["parent_header"], message["content"].get("execution_state")
                if about.get("msg_id") == request and state == "idle":
                    return True
        except queue.Empty:  # at first a kernel hears requests before it is heard
            return False


class ForkedKernelManager(AsyncKernelManager):
    """Starts its first kernel in `waiting`, and others as Jupyter does."""

    waiting: KernelProcess | None = None

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.client_factory = PromptClient
        waiting, type(self).waiting = type(self).waiting, None
        if waiting:
            spec, name = self.kernel_spec, str(os.getpid())
            self.provisioner = ForkedProvisioner(parent=self, kernel_spec=spec, kernel_id=name)
            self.provisioner.waiting = waiting


def _become_kernel(receiver: Connection, sender: Connection, modules: Sequence[str]) -> None:
    """Wait for the command, then run the kernel in this process."""
    import importlib

    from ipykernel.kernelapp import IPKernelApp

    sender.close()
    os.setsid()
    for name in modules:
        try_item(importlib.import_module, name)
    try:
        arguments, environment, folder = receiver.recv()
    except EOFError:
        return
    os.environ |= environment
    os.chdir(folder)
    IPKernelApp.launch_instance(arguments)
