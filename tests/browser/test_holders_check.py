"""The holder's own check: it shows who is in a register and who is not, and refuses what does not lead to its root."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chromium import OTHER_HOST
from holder_page import FILE, HTTP, Screen
from published_folder import PublishedFolder, change, lines_of_month, publish, register_of
from tallystick.domain.base58 import base58_encode
from tallystick.domain.register import Register

PHONE, DESK = (390, 844), (1440, 900)
SCREENS = [Screen(*size, scheme) for size in (PHONE, DESK) for scheme in ("light", "dark")]


def screen_name(screen: Screen) -> str:
    return f"{screen.width}-{screen.scheme}"


@pytest.mark.parametrize("way", [HTTP, FILE])
@pytest.mark.parametrize("screen", SCREENS, ids=screen_name)
async def test_a_true_holder_sees_how_much_of_what_at_which_slot(
    published: PublishedFolder, open_page: Any, way: str, screen: Screen
) -> None:
    page = await open_page(published, way, screen)
    if way == FILE:
        await page.choose()
    beta, alpha, gamma = await page.check(published.address("BETB", 1_500))
    assert (beta.state, beta.head) == ("held", "12.5 BETB = 25 shares (× 2)")
    assert "Entry 1,501 of 2,500 holders" in beta.text
    assert "slot 306,696,000, 2026-10-31 23:59:52 UTC" in beta.text
    assert (alpha.state, alpha.head) == ("absent", "No ALPA")
    assert (gamma.state, gamma.text.split(" at ")[0]) == ("absent", "Nobody is in the register of GAMC (US5949181045)")
    assert page.errors == []
    assert await page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_nothing_but_the_shard_is_fetched_and_nobody_learns_the_address(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published)
    address = published.address("BETB", 1_500)
    await page.check(address)
    beta, alpha = (published.rows[ticker]["isin"] for ticker in ("BETB", "ALPA"))
    assert sorted(page.asked) == sorted(
        [
            "index.html",
            "report.json",
            f"holders/{beta}/index.json",
            f"holders/{beta}/00001.json",
            f"holders/{alpha}/index.json",
            f"holders/{alpha}/00000.json",
        ]
    )
    assert all(request.startswith(page.base) and address not in request for request in page.requests)


async def test_a_page_opened_as_a_file_asks_for_nothing(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published, FILE)
    await page.choose()
    assert (await page.check(published.address("ALPA", 3)))[1].state == "held"
    assert page.asked == ["index.html"]


async def test_single_files_do_where_a_folder_cannot_be_chosen(published: PublishedFolder, open_page: Any) -> None:
    page = await open_page(published, FILE)
    await page.choose(published.version / "report.json", published.index("BETB"), published.shard("BETB", 1))
    beta, alpha, _ = await page.check(published.address("BETB", 1_500))
    assert beta.state == "held"
    assert (alpha.state, "US0378331005/index.json" in alpha.text) == ("problem", True)


async def test_of_a_folder_with_several_reports_only_this_ones_files_are_looked_at(
    folder: PublishedFolder, open_page: Any
) -> None:
    earlier = folder.path / "2026-10" / "v1"
    shutil.copytree(folder.version, earlier)
    change(earlier / "report.json", lambda report: report["header"].update(version=1))
    change(earlier / folder.shard("BETB", 1).relative_to(folder.version), TAMPERED["own amount"])
    page = await open_page(folder, FILE)
    await page.page.set_input_files("#folder", folder.path)
    assert (await page.check(folder.address("BETB", 1_500)))[0].state == "held"


async def test_a_file_without_its_report_says_that_the_report_was_not_hashed(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published, FILE)
    await page.choose(published.index("ALPA"), published.shard("ALPA", 0))
    assert (await page.check(published.address("ALPA", 3)))[1].state == "held"
    assert "was not among the files" in (await page.page.text_content("#own-note") or "")


def after(register: Register, place: int) -> str:
    """An address that comes right after a holder's and is nobody's."""
    return base58_encode((int.from_bytes(register.entries[place].owner, "big") + 1).to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("address_of", "where", "files"),
    [
        (lambda register: after(register, 40), "entries 41 and 42 stand side by side", 1),
        (lambda _: base58_encode(bytes(32)), "before the first entry", 1),
        (lambda _: base58_encode(b"\xff" * 32), "after the last entry", 1),
        (lambda register: after(register, 1_023), "entries 1,024 and 1,025 stand side by side", 2),
        (lambda register: after(register, 1_022), "entries 1,023 and 1,024 stand side by side", 1),
    ],
    ids=["middle", "first", "last", "edge", "before the edge"],
)
async def test_who_is_not_in_the_register_sees_the_neighbours_around_the_gap(
    published: PublishedFolder, open_page: Any, address_of: Callable[[Register], str], where: str, files: int
) -> None:
    page = await open_page(published)
    beta = (await page.check(address_of(published.registers["BETB"])))[0]
    assert beta.state == "absent"
    assert where in beta.text
    shards = [path for path in page.asked if published.rows["BETB"]["isin"] in path and "index" not in path]
    assert len(shards) == files


def alter_leaves(place: int, value: int) -> Callable[[dict[str, Any]], object]:
    """Change one byte of the leaves."""

    def alter(shard: dict[str, Any]) -> None:
        leaves = bytearray(b64decode(shard["leaves"]))
        leaves[place] = (leaves[place] + value) % 256
        shard["leaves"] = b64encode(bytes(leaves)).decode()

    return alter


def without_last_leaf(shard: dict[str, Any]) -> None:
    shard["leaves"] = b64encode(b64decode(shard["leaves"])[:-40]).decode()


def swapped(shard: dict[str, Any]) -> None:
    leaves = b64decode(shard["leaves"])
    shard["leaves"] = b64encode(leaves[40:80] + leaves[:40] + leaves[80:]).decode()


OWN = (1_500 - 1_024) * 40
TAMPERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "own amount": alter_leaves(OWN + 32, 1),
    "amount of another": alter_leaves(32, 1),
    "owner of another": alter_leaves(31, 1),
    "left out": without_last_leaf,
    "out of order": swapped,
    "cut off": lambda shard: shard.update(leaves=b64encode(b64decode(shard["leaves"])[:-1]).decode()),
    "no base64": lambda shard: shard.update(leaves="#" + shard["leaves"][1:]),
    "path": lambda shard: shard["path"].__setitem__(0, "00" * 32),
    "path too short": lambda shard: shard["path"].pop(),
    "path too long": lambda shard: shard["path"].append("00" * 32),
    "path of no hashes": lambda shard: shard["path"].__setitem__(0, "xy"),
    "start": lambda shard: shard.update(start=0),
    "slot": lambda shard: shard.update(slot=shard["slot"] + 1),
    "root": lambda shard: shard.update(root="00" * 32),
    "size": lambda shard: shard.update(size=shard["size"] + 1),
    "security": lambda shard: shard.update(isin="US0378331005"),
    "mint": lambda shard: shard.update(mint="11111111111111111111111111111111"),
    "format": lambda shard: shard.update(format="another"),
    "version": lambda shard: shard.update(version=2),
}


@pytest.mark.parametrize("alter", TAMPERED.values(), ids=TAMPERED)
async def test_a_tampered_shard_is_refused_in_red(
    folder: PublishedFolder, open_page: Any, alter: Callable[[dict[str, Any]], object]
) -> None:
    change(folder.shard("BETB", 1), alter)
    page = await open_page(folder, HTTP, SCREENS[0])
    beta = (await page.check(folder.address("BETB", 1_500)))[0]
    assert (beta.state, beta.head) == ("mismatch", "BETB: the proof does not match")


@pytest.mark.parametrize("screen", SCREENS, ids=screen_name)
@pytest.mark.parametrize("way", [HTTP, FILE])
async def test_a_tampered_shard_is_refused_wherever_it_is_looked_at(
    folder: PublishedFolder, open_page: Any, way: str, screen: Screen
) -> None:
    change(folder.shard("BETB", 1), TAMPERED["own amount"])
    page = await open_page(folder, way, screen)
    if way == FILE:
        await page.choose()
    beta, alpha, _ = await page.check(folder.address("BETB", 1_500))
    assert (beta.state, alpha.state) == ("mismatch", "absent")
    assert folder.rows["BETB"]["root"] in beta.text
    colour = await page.page.eval_on_selector(".result.mismatch strong", "each => getComputedStyle(each).color")
    assert colour == ("rgb(176, 38, 29)" if screen.scheme == "light" else "rgb(255, 157, 146)")


async def test_another_shard_under_the_name_of_the_right_one_is_refused(
    folder: PublishedFolder, open_page: Any
) -> None:
    folder.shard("BETB", 1).write_bytes(folder.shard("BETB", 0).read_bytes())
    page = await open_page(folder)
    assert (await page.check(folder.address("BETB", 1_500)))[0].state == "mismatch"


@pytest.mark.parametrize("number", [0, 2])
async def test_an_index_that_leads_past_the_address_shows_no_absence(
    folder: PublishedFolder, open_page: Any, number: int
) -> None:
    def alter(index: dict[str, Any]) -> None:
        firsts = bytearray(b64decode(index["firsts"]))
        # The second shard begins nowhere or everywhere: the index leads to the first, or to the third.
        if number == 0:
            firsts[32:] = b"\xff" * 64
        else:
            firsts[32:] = bytes(64)
        index["firsts"] = b64encode(bytes(firsts)).decode()

    change(folder.index("BETB"), alter)
    page = await open_page(folder)
    assert (await page.check(folder.address("BETB", 1_500)))[0].state == "mismatch"


def cut_into_pages(folder: PublishedFolder) -> Path:
    """The index as it is of very many shards: one that names pages, and its only page, which is returned."""
    index = json.loads(folder.index("BETB").read_bytes())
    page = folder.index("BETB").with_name("index-00000.json")
    page.write_text(json.dumps({**index, "page": 0}))
    first = b64encode(b64decode(index.pop("firsts"))[:32]).decode()
    folder.index("BETB").write_text(json.dumps({**index, "pages": first}))
    return page


async def test_an_index_in_pages_leads_to_the_shard(folder: PublishedFolder, open_page: Any) -> None:
    cut_into_pages(folder)
    page = await open_page(folder)
    assert (await page.check(folder.address("BETB", 1_500)))[0].state == "held"


@pytest.mark.parametrize(
    "alter",
    [lambda page: page.update(page=1), lambda page: page.update(slot=1), lambda page: page.pop("firsts")],
    ids=["number", "slot", "no firsts"],
)
async def test_a_page_of_another_index_is_refused(
    folder: PublishedFolder, open_page: Any, alter: Callable[[dict[str, Any]], object]
) -> None:
    change(cut_into_pages(folder), alter)
    page = await open_page(folder)
    assert (await page.check(folder.address("BETB", 1_500)))[0].state == "mismatch"


async def test_a_register_that_is_not_in_order_shows_nothing_under_its_own_root(tmp_path: Path, open_page: Any) -> None:
    turned = Register(register_of(40).entries[::-1])
    folder = publish(tmp_path, {"BETB": turned, "ALPA": register_of(1), "GAMC": register_of(0)})
    page = await open_page(folder)
    beta = (await page.check(folder.address("BETB", 0)))[0]
    assert (beta.state, beta.text) == ("mismatch", "The register is not in order.")


async def test_a_security_that_was_not_listed_yet_is_left_out(tmp_path: Path, open_page: Any) -> None:
    folder = publish(tmp_path, {"BETB": register_of(3)})
    page = await open_page(folder)
    (beta,) = await page.check(folder.address("BETB", 0))
    assert beta.state == "held"


async def test_a_report_of_other_bytes_than_the_page_is_refused(folder: PublishedFolder, open_page: Any) -> None:
    change(folder.version / "report.json", lambda report: report["holders"].update(slot=1))
    page = await open_page(folder)
    (result,) = await page.check(folder.address("BETB", 1_500))
    assert (result.state, result.head) == ("mismatch", "Report: the proof does not match")


@pytest.mark.parametrize(
    ("content", "words"), [(b"{", "is not JSON"), (b'{"a":"' + b"a" * 65_536 + b'"}', "longer than 64 KiB")]
)
async def test_a_shard_that_is_no_shard_is_refused(
    folder: PublishedFolder, open_page: Any, content: bytes, words: str
) -> None:
    folder.shard("BETB", 1).write_bytes(content)
    page = await open_page(folder)
    beta = (await page.check(folder.address("BETB", 1_500)))[0]
    assert (beta.state, words in beta.text) == ("mismatch", True)


async def test_a_missing_file_says_that_nothing_was_checked(folder: PublishedFolder, open_page: Any) -> None:
    folder.shard("BETB", 1).unlink()
    page = await open_page(folder)
    beta, alpha, _ = await page.check(folder.address("BETB", 1_500))
    assert (beta.state, beta.head, alpha.state) == ("problem", "BETB: not checked", "absent")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0OIl", "does not occur in an address"),
        ("2wyQ", "Is it complete?"),
        ("4" * 45, "too long"),
        ("<img src=x onerror=alert(1)>", "does not occur"),
    ],
)
async def test_what_is_no_address_is_told_and_nothing_is_fetched(
    published: PublishedFolder, open_page: Any, text: str, words: str
) -> None:
    page = await open_page(published)
    (result,) = await page.check(text)
    assert (result.state, words in result.text) == ("problem", True)
    assert page.asked == ["index.html"]


async def test_one_holders_proof_is_checked_as_a_file(
    published: PublishedFolder, open_page: Any, tmp_path: Path
) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(published.proof("BETB", 2_499)))
    page = await open_page(published)
    (result,) = await page.check_proof(file)
    assert (result.state, result.head) == ("held", "12.5 BETB = 25 shares (× 2)")
    assert published.address("BETB", 2_499) in result.text
    assert "Entry 2,500 of 2,500" in result.text


@pytest.mark.parametrize(
    "alter",
    [
        {"index": 2_498},
        {"size": 2_501},
        {"slot": 1},
        {"root": "00" * 32},
        {"isin": "US0378331005"},
        {"isin": "US0000000000"},
        {"leaf": b64encode(bytes(40)).decode()},
        {"leaf": b64encode(bytes(39)).decode()},
        {"path": []},
        {"version": 2},
        {"format": "another"},
    ],
    ids=str,
)
async def test_a_tampered_proof_as_a_file_is_refused(
    published: PublishedFolder, open_page: Any, tmp_path: Path, alter: dict[str, Any]
) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(published.proof("BETB", 2_499) | alter))
    page = await open_page(published)
    (result,) = await page.check_proof(file)
    assert result.state == "mismatch"


@pytest.mark.parametrize("way", [HTTP, FILE])
@pytest.mark.parametrize("index", [0, 1, 2])
async def test_one_line_of_a_statement_is_shown_without_the_others(
    published: PublishedFolder, open_page: Any, tmp_path: Path, index: int, way: str
) -> None:
    file = tmp_path / "line.json"
    file.write_text(json.dumps(lines_of_month().proof(index).document()))
    page = await open_page(published, way)
    (result,) = await page.check_proof(file)
    isin = ["US0378331005", "US5949181045", "US0378331005"][index]
    assert (result.state, result.head) == ("held", f"1000.5 shares of {isin}")
    assert f"Line {index + 1} of 3" in result.text
    assert "account SAFE-1, as of 2026-10-31 23:59:52 UTC. Of it: PLED 2.5." in result.text


def alter_line(**members: object) -> Callable[[dict[str, Any]], object]:
    return lambda proof: proof["line"].update(members)


@pytest.mark.parametrize(
    "alter",
    [
        alter_line(aggregate="1000.6"),
        alter_line(salt="00" * 32),
        alter_line(custodian="HWUPKR0MPOU8FGXBT394"),
        alter_line(sub_balances=[]),
        alter_line(as_of=1_793_491_193),
        alter_line(more=""),
        lambda proof: proof["line"].pop("other_id"),
        lambda proof: proof.update(index=1),
        lambda proof: proof.update(size=4),
        lambda proof: proof.update(root="00" * 32),
        lambda proof: proof.update(path=proof["path"][:-1]),
        lambda proof: proof.update(format_version=2),
    ],
)
async def test_a_tampered_line_of_a_statement_is_refused(
    published: PublishedFolder, open_page: Any, tmp_path: Path, alter: Callable[[dict[str, Any]], object]
) -> None:
    proof: dict[str, Any] = json.loads(json.dumps(lines_of_month().proof(0).document()))
    alter(proof)
    file = tmp_path / "line.json"
    file.write_text(json.dumps(proof))
    page = await open_page(published)
    assert (await page.check_proof(file))[0].state == "mismatch"


@pytest.mark.parametrize(
    "spelling",
    [
        lambda digest: digest,
        lambda digest: "0x" + digest.upper(),
        lambda digest: str(list(bytes.fromhex(digest))),
        lambda digest: b64encode(bytes.fromhex(digest)).decode(),
        lambda digest: base58_encode(bytes.fromhex(digest)),
    ],
    ids=["hex", "0x", "numbers", "base64", "base58"],
)
async def test_the_hash_from_the_chain_is_compared_however_it_is_spelled(
    published: PublishedFolder, open_page: Any, spelling: Callable[[str], str]
) -> None:
    page = await open_page(published)
    assert (await page.compare(spelling(published.digest))).state == "held"


@pytest.mark.parametrize(("text", "state"), [("ab" * 32, "mismatch"), ("nonsense", "problem"), ("1, 2", "problem")])
async def test_another_hash_from_the_chain_is_not_this_report(
    published: PublishedFolder, open_page: Any, text: str, state: str
) -> None:
    page = await open_page(published)
    assert (await page.compare(text)).state == state


async def test_over_plain_http_elsewhere_the_page_says_why_it_cannot_check(
    published: PublishedFolder, open_page: Any
) -> None:
    page = await open_page(published, host=OTHER_HOST)
    assert await page.page.is_visible("#insecure")
    assert await page.page.is_disabled("#address")
    assert page.errors == []
