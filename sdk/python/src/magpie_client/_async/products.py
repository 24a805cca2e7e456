"""A catalogue with pictures, found by words and by pictures together."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import AsyncIterator, Dict, Literal, Mapping, Optional, Sequence, Union

from .._body import File, Source, file_of, form_of
from .._core import json_of, path_of
from ..types import ImportReport, JobAnswer, Product, ProductAnswer, ProductChange, ProductPage
from ._resource import Resource

Price = Union[str, int, float, Decimal]
Categories = Union[str, Sequence[str]]


def _price(price: Optional[Price]) -> Optional[str]:
    """As text: a price is a decimal number, and JSON's numbers are not."""
    return None if price is None else format(price if isinstance(price, Decimal) else Decimal(str(price)), "f")


def _categories(category: Optional[Categories]) -> Optional[Sequence[str]]:
    return [category] if isinstance(category, str) else category


class Products(Resource):
    async def create(
        self,
        title: str,
        *,
        external_id: Optional[str] = None,
        description: Optional[str] = None,
        category: Optional[str] = None,
        price: Optional[Price] = None,
        currency: Optional[str] = None,
        image_url: Optional[str] = None,
        metadata: Optional[Mapping[str, object]] = None,
        project_id: Optional[int] = None,
    ) -> ProductChange:
        """With an `image_url`, the service fetches the picture: `job_id` is the job that does."""
        body = {
            "title": title,
            "external_id": external_id,
            "description": description,
            "category": category,
            "price": _price(price),
            "currency": currency,
            "image_url": image_url,
            "metadata": metadata,
            "project_id": project_id,
        }
        return await self._client.ask(ProductChange, "POST", "/products", json=body)

    async def page(
        self,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        sort: Optional[Literal["id", "title", "price", "created", "updated"]] = None,
        order: Optional[Literal["asc", "desc"]] = None,
        category: Optional[Categories] = None,
        price_min: Optional[Price] = None,
        price_max: Optional[Price] = None,
        currency: Optional[str] = None,
        external_id: Optional[str] = None,
        has_picture: Optional[bool] = None,
        project_id: Optional[int] = None,
        facets: bool = False,
    ) -> ProductPage:
        """One page of `list`, with the total; with `facets`, also what there is to filter by."""
        query = {
            "limit": limit,
            "cursor": cursor,
            "sort": sort,
            "order": order,
            "category": _categories(category),
            "price_min": _price(price_min),
            "price_max": _price(price_max),
            "currency": currency,
            "external_id": external_id,
            "has_picture": None if has_picture is None else "yes" if has_picture else "no",
            "project_id": project_id,
            "facets": "yes" if facets else None,
        }
        return await self._client.ask(ProductPage, "GET", "/products", query=query)

    async def list(
        self,
        *,
        page_size: int = 100,
        sort: Optional[Literal["id", "title", "price", "created", "updated"]] = None,
        order: Optional[Literal["asc", "desc"]] = None,
        category: Optional[Categories] = None,
        price_min: Optional[Price] = None,
        price_max: Optional[Price] = None,
        currency: Optional[str] = None,
        external_id: Optional[str] = None,
        has_picture: Optional[bool] = None,
        project_id: Optional[int] = None,
    ) -> AsyncIterator[Product]:
        cursor: Optional[str] = None
        while True:
            page = await self.page(
                limit=page_size,
                cursor=cursor,
                sort=sort,
                order=order,
                category=category,
                price_min=price_min,
                price_max=price_max,
                currency=currency,
                external_id=external_id,
                has_picture=has_picture,
                project_id=project_id,
            )
            for product in page["products"]:
                yield product
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def get(self, product_id: int) -> Product:
        return await self._client.ask(Product, "GET", path_of("/products/{}", product_id))

    async def update(
        self,
        product_id: int,
        *,
        title: Optional[str] = None,
        description: Optional[str] = None,
        category: Optional[str] = None,
        price: Optional[Price] = None,
        currency: Optional[str] = None,
        image_url: Optional[str] = None,
        metadata: Optional[Mapping[str, object]] = None,
    ) -> ProductChange:
        """What is left out stays as it is."""
        body = self._members(title, description, category, price, currency, image_url, metadata)
        return await self._client.ask(ProductChange, "PATCH", path_of("/products/{}", product_id), json=body)

    async def replace(
        self,
        product_id: int,
        title: str,
        *,
        description: Optional[str] = None,
        category: Optional[str] = None,
        price: Optional[Price] = None,
        currency: Optional[str] = None,
        image_url: Optional[str] = None,
        metadata: Optional[Mapping[str, object]] = None,
    ) -> ProductChange:
        """What is left out is emptied."""
        body = self._members(title, description, category, price, currency, image_url, metadata)
        return await self._client.ask(ProductChange, "PUT", path_of("/products/{}", product_id), json=body)

    @staticmethod
    def _members(
        title: Optional[str],
        description: Optional[str],
        category: Optional[str],
        price: Optional[Price],
        currency: Optional[str],
        image_url: Optional[str],
        metadata: Optional[Mapping[str, object]],
    ) -> Dict[str, object]:
        return {
            "title": title,
            "description": description,
            "category": category,
            "price": _price(price),
            "currency": currency,
            "image_url": image_url,
            "metadata": metadata,
        }

    async def delete(self, product_id: int) -> None:
        await self._client.tell("DELETE", path_of("/products/{}", product_id))

    async def set_image(self, product_id: int, source: Source, *, name: Optional[str] = None) -> Product:
        """Its picture, from here instead of from an `image_url`."""
        body = form_of({}, [("file", file_of(source, name))])
        return await self._client.ask(
            Product, "POST", path_of("/products/{}/image", product_id), body=body, idempotent=True
        )

    async def index(self, product_ids: Sequence[int], *, project_id: Optional[int] = None) -> JobAnswer:
        """Has the pictures of these fetched and indexed again."""
        body = {"product_ids": [*product_ids], "project_id": project_id}
        return await self._client.ask(JobAnswer, "POST", "/products/index", json=body)

    async def reindex(self, *, project_id: Optional[int] = None) -> JobAnswer:
        """Has all of a catalogue indexed again."""
        return await self._client.ask(JobAnswer, "POST", "/products/reindex", json={"project_id": project_id})

    async def import_file(
        self,
        source: Source,
        *,
        name: Optional[str] = None,
        format: Optional[Literal["csv", "jsonl"]] = None,
        mapping: Optional[Mapping[str, str]] = None,
        project_id: Optional[int] = None,
    ) -> ImportReport:
        """CSV or JSON lines; `mapping` names the fields of columns that are called otherwise. Rows are found again
        by their external_id, so that a file can be imported again."""
        file: File = file_of(source, name)
        told = {
            "format": format,
            "mapping": None if mapping is None else json.dumps(mapping),
            "project_id": None if project_id is None else str(project_id),
        }
        fields = {key: value for key, value in told.items() if value is not None}
        return await self._client.ask(ImportReport, "POST", "/products/import", body=form_of(fields, [("file", file)]))

    async def search_text(
        self,
        query: str,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        category: Optional[Categories] = None,
        price_min: Optional[Price] = None,
        price_max: Optional[Price] = None,
        currency: Optional[str] = None,
        project_id: Optional[int] = None,
        weights: Optional[Mapping[Literal["picture", "text"], float]] = None,
    ) -> ProductAnswer:
        body = {
            "query": query,
            "limit": limit,
            "cursor": cursor,
            "category": _categories(category),
            "price_min": _price(price_min),
            "price_max": _price(price_max),
            "currency": currency,
            "project_id": project_id,
            "weights": weights,
        }
        return await self._client.ask(ProductAnswer, "POST", "/search/text", json=body, idempotent=True)

    async def search_image(
        self,
        source: Optional[Source] = None,
        *,
        image_url: Optional[str] = None,
        image_id: Optional[int] = None,
        product_id: Optional[int] = None,
        query: Optional[str] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        category: Optional[Categories] = None,
        price_min: Optional[Price] = None,
        price_max: Optional[Price] = None,
        currency: Optional[str] = None,
        project_id: Optional[int] = None,
        weights: Optional[Mapping[Literal["picture", "text"], float]] = None,
    ) -> ProductAnswer:
        """By a picture: a file, an address, one of the library, or a product's; with `query`, by words as well."""
        body = {
            "image_url": image_url,
            "image_id": image_id,
            "product_id": product_id,
            "query": query,
            "limit": limit,
            "cursor": cursor,
            "category": _categories(category),
            "price_min": _price(price_min),
            "price_max": _price(price_max),
            "currency": currency,
            "project_id": project_id,
            "weights": weights,
        }
        path = "/search/image"
        if source is None:
            return await self._client.ask(ProductAnswer, "POST", path, json=body, idempotent=True)
        form = form_of({"query": json.dumps(json_of(body))}, [("file", file_of(source))])
        return await self._client.ask(ProductAnswer, "POST", path, body=form, idempotent=True)
