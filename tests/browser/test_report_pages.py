"""A report's page in a browser: it fits a phone, loads nothing, runs nothing but its own, works without script."""

from __future__ import annotations

from typing import Any

import pytest
from holder_page import FILE, HTTP, Screen
from published_folder import PublishedFolder

NARROW = Screen(320, 640)
"""What a desk's window of 1,280 is at four times its size (WCAG 2.2, 1.4.10)."""


@pytest.mark.parametrize("name", ["version", "index"])
async def test_nothing_is_wider_than_a_small_phone(published: PublishedFolder, open_page: Any, name: str) -> None:
    page = await open_page(published, HTTP, NARROW)
    if name == "index":
        await page.page.goto(page.base)
    else:
        await page.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert await page.page.evaluate("document.documentElement.scrollWidth") == NARROW.width
    await page.page.evaluate("scrollTo(1000, 0)")
    assert await page.page.evaluate("scrollX") == 0


async def test_no_figure_is_broken_on_a_small_phone(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published, HTTP, NARROW)
    lines = await page.page.eval_on_selector_all(
        ".sums dd, .cards dd",
        """figures => figures.map((figure) => {
            const range = document.createRange();
            range.selectNodeContents(figure);
            return new Set([...range.getClientRects()].map((line) => Math.round(line.bottom))).size;
        })""",
    )
    assert len(lines) > 20
    assert set(lines) == {1}


async def test_a_file_is_chosen_on_a_small_phone_without_scrolling_aside(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published, FILE, NARROW)
    assert await page.page.is_visible("#folder")
    assert await page.page.evaluate("document.documentElement.scrollWidth") == NARROW.width


async def test_a_wide_table_scrolls_in_its_own_box_and_can_be_reached_by_key(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published, HTTP, NARROW)
    boxes = await page.page.eval_on_selector_all(
        ".table", "boxes => boxes.map(box => [box.scrollWidth > box.clientWidth, box.tabIndex])"
    )
    assert any(is_wider for is_wider, _ in boxes)
    assert all(order == 0 for _, order in boxes)


@pytest.mark.parametrize(("width", "is_open"), [(390, False), (1440, True)])
async def test_the_contents_are_folded_where_there_is_no_room_beside(
    published: PublishedFolder, open_page: Any, width: int, is_open: bool
) -> None:
    page = await open_page(published, HTTP, Screen(width))
    assert await page.page.is_visible(".contents a") is is_open


@pytest.mark.parametrize("way", [HTTP, FILE])
async def test_a_script_that_was_put_into_the_page_does_not_run(
    folder: PublishedFolder, open_page: Any, way: str
) -> None:
    page_file = folder.page()
    injected = "<script>document.title = 'taken'</script><p id=styled style='color: red'>"
    page_file.write_text(page_file.read_text().replace("<main", f"{injected}<main", 1))
    page = await open_page(folder, way)
    assert "taken" not in await page.page.title()
    assert len([each for each in page.errors if "Content Security Policy" in each]) == 2


async def test_a_page_that_is_told_to_load_something_from_elsewhere_does_not(
    folder: PublishedFolder, open_page: Any
) -> None:
    page_file = folder.page()
    elsewhere = "<img src='http://127.0.0.1:9/pixel.png'><script src='http://127.0.0.1:9/a.js'></script>"
    page_file.write_text(page_file.read_text().replace("<main", f"{elsewhere}<main", 1))
    page = await open_page(folder)
    refused = await page.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    assert len([each for each in page.errors if "Content Security Policy" in each]) >= 3


async def test_without_script_the_report_is_whole_and_the_check_says_what_it_lacks(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published, has_script=False)
    assert await page.page.is_visible("text=The check needs JavaScript")
    assert not await page.page.is_visible("#address-form")
    assert await page.page.is_visible("#h-anchor")


@pytest.mark.parametrize("name", ["version", "index"])
async def test_a_page_opens_without_a_complaint_and_asks_its_own_folder_alone(
    published: PublishedFolder, open_page: Any, name: str
) -> None:
    page = await open_page(published)
    if name == "index":
        await page.page.goto(page.base)
    assert page.errors == []
    assert all(request.startswith(page.base) for request in page.requests)


async def test_the_way_from_the_index_to_a_holders_check_is_two_clicks(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published)
    await page.page.goto(page.base)
    await page.page.click("text=Check your own tokens")
    assert page.page.url.endswith("2026-10/v2/index.html#check")
    await page.page.click("text=All reports")
    assert page.page.url == f"{page.base}index.html"


async def test_every_control_is_reached_by_key_and_shows_that_it_is(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published, FILE)
    await page.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    wanted = await page.page.evaluate(
        """() => {
            const every = [...document.querySelectorAll("*")];
            const controls = document.querySelectorAll("a, button, input, summary, [tabindex]");
            return [...controls].map((each) => every.indexOf(each));
        }"""
    )
    reached = set()
    for _ in range(len(wanted) + 5):
        await page.page.keyboard.press("Tab")
        place, line = await page.page.evaluate(
            """() => [
                [...document.querySelectorAll("*")].indexOf(document.activeElement),
                parseFloat(getComputedStyle(document.activeElement).outlineWidth),
            ]"""
        )
        if place in wanted:
            assert line >= 3
            reached.add(place)
    assert reached == set(wanted)


async def test_every_control_has_a_name_and_an_answer_is_announced(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published)
    for control in await page.page.query_selector_all("input"):
        assert await control.evaluate("each => [...each.labels].map(label => label.textContent.trim()).join('')")
    assert await page.page.get_attribute("#address-results", "aria-live") == "polite"
    await page.check("0OIl")
    assert await page.page.get_attribute("#address", "aria-invalid") == "true"
    await page.check(published.address("ALPA", 3))
    assert await page.page.get_attribute("#address", "aria-invalid") is None


async def test_what_is_folded_is_printed_and_on_white(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published, HTTP, Screen(scheme="dark"))
    folded = page.page.locator("text=Backing at each daily close").first
    assert not await folded.is_visible()
    await page.page.emulate_media(media="print")
    assert await folded.evaluate("each => each.checkVisibility({ contentVisibilityAuto: true })")
    assert await page.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not await page.page.is_visible("#check .check")


async def test_the_check_can_be_done_by_key_alone(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published)
    await page.page.focus("#address")
    await page.page.keyboard.type(published.address("ALPA", 3))
    await page.page.keyboard.press("Enter")
    assert (await page.results("address-results"))[1].state == "held"
