"""A mixed question as JSON, and as a form where it shows pictures of its own."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Dict, Generic, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from ._body import Body, Source, file_of, form_of
from ._core import json_of

T = TypeVar("T")


@dataclass(frozen=True)
class Weighted(Generic[T]):
    """A part of a question that counts for more or less than 1."""

    value: T
    weight: float


Texts = Sequence[Union[str, Weighted[str]]]
Ids = Sequence[Union[int, Weighted[int]]]
Vectors = Sequence[Union[Sequence[float], Weighted[Sequence[float]]]]
Pictures = Sequence[Union[Source, Weighted[Source]]]


@dataclass(frozen=True)
class Parts:
    """One side of a question: what hits should be like, or what they should not be like."""

    texts: Texts = ()
    ids: Ids = ()
    vectors: Vectors = ()
    images: Pictures = ()

    def weighs_pictures(self) -> bool:
        return any(isinstance(image, Weighted) for image in self.images)

    def json(self, with_pictures: bool) -> Dict[str, object]:
        lists: Dict[str, List[object]] = {
            "texts": [_part("text", text) for text in self.texts],
            "ids": [_part("id", one) for one in self.ids],
            "vectors": [_part("vector", vector) for vector in self.vectors],
            "images": [_picture(image) for image in self.images] if with_pictures else [],
        }
        return {name: parts for name, parts in lists.items() if parts}

    def files(self) -> List[Source]:
        return [image.value if isinstance(image, Weighted) else image for image in self.images]


def _part(member: str, part: Union[T, Weighted[T]]) -> object:
    return {member: part.value, "weight": part.weight} if isinstance(part, Weighted) else part


def _picture(image: Union[Source, Weighted[Source]]) -> object:
    source = image.value if isinstance(image, Weighted) else image
    text = base64.b64encode(file_of(source).read()).decode()
    return {"data": text, "weight": image.weight} if isinstance(image, Weighted) else text


def question_of(
    like: Parts, unlike: Parts, options: Mapping[str, object]
) -> Tuple[Optional[Dict[str, object]], Optional[Body]]:
    """JSON or a form, one of them. Files of a form have no weights: where one is weighed, all go as base64."""
    weighed = like.weighs_pictures() or unlike.weighs_pictures()
    negatives = unlike.json(weighed)
    question = {**like.json(weighed), **json_of(options), **({"negatives": negatives} if negatives else {})}
    if weighed or not (like.images or unlike.images):
        return question, None
    files = [("images", file_of(source)) for source in like.files()]
    files += [("negative_images", file_of(source)) for source in unlike.files()]
    fields = {"query": json.dumps(question, ensure_ascii=False)} if question else {}
    return None, form_of(fields, files)


def picture_of(image: Source, options: Mapping[str, object]) -> Body:
    """A form of one picture, with the question's other members."""
    said = json_of(options)
    fields = {"query": json.dumps(said, ensure_ascii=False)} if said else {}
    return form_of(fields, [("image", file_of(image))])
