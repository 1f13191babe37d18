from .annotation import check_target as check_target
from .annotation import save_annotated as save_annotated
from .answering import answer_images as answer_images
from .answering import answer_texts as answer_texts
from .answering import ask_all as ask_all
from .answering import list_quantities as list_quantities
from .answering import read as read
from .images import open_images as open_images
