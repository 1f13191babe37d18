from .fetch import fetch_images as fetch_images
from .limits import Limits as Limits
from .store import check_store as check_store
from .store import delete_downloaded as delete_downloaded
from .summary import count_outcomes as count_outcomes
from .summary import find_failed_samples as find_failed_samples
from .summary import measure_hosts as measure_hosts
from .summary import measure_sources as measure_sources
