"""Transfer the content of a link: over HTTP, from object storage, or out of the link itself."""

import asyncio
from typing import IO

from lib.download.checksums import find_difference
from lib.download.http.client import Client, FetchError
from lib.download.jobs import Job, Reader
from lib.download.limits import Limits


async def transfer(job: Job, client: Client, limits: Limits, file: IO[bytes]) -> str:
    """Write the content of a link to a file and return its sha256.

    Raises:
        FetchError: It could not be read, or has another checksum than its row gives.
    """
    if job.read:
        sha256 = await _read(job.read, job.link, limits, file)
    else:
        sha256 = await client.fetch(job.url, file)
    if job.checksum not in ("", sha256):
        file.seek(0)
        if difference := find_difference(file.read(), job.checksum):
            raise FetchError(difference)
    return sha256


async def _read(read: Reader, link: str, limits: Limits, file: IO[bytes]) -> str:
    """Run a reader in a thread; what takes too long is left behind.

    Raises:
        FetchError: It failed, or took too long.
    """
    try:
        async with asyncio.timeout(limits.total):
            return await asyncio.to_thread(read, link, limits.size, file)
    except TimeoutError as error:
        reason = f"timeout: not finished within {limits.total:g} s"
        raise FetchError(reason, again=True, host_failed=True) from error
