"""All tasks: found, watched, stopped, done once more."""

from pathlib import Path

from playwright.sync_api import expect

from antiphon.contract.kinds import Kind, SeparationType
from tests.acceptance.browser.conftest import Song
from tests.acceptance.browser.console import Console, faults
from tests.acceptance.cluster import await_end


def test_tasks_are_found_by_kind_state_and_text(console: Console, song: Song) -> None:
    page = console.open("tasks")
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text=song.midi[:8])).to_have_count(1)
    page.get_by_label("Kind").select_option("video")
    expect(rows.filter(has_text=song.midi[:8])).to_have_count(0)
    expect(rows.filter(has_text=song.video[:8])).to_have_count(1)
    page.get_by_label("State").select_option("failed")
    expect(rows.filter(has_text=song.video[:8])).to_have_count(0)
    page.get_by_label("State").select_option("")
    page.get_by_label("Kind").select_option("")
    page.get_by_role("searchbox").fill(song.midi)
    expect(rows.filter(has_text=song.midi[:8])).to_have_count(1)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Plain Song")
    page.reload()  # the address holds what was looked for
    expect(rows).to_have_count(1)


def test_a_new_task_appears_by_itself_and_is_cancelled_from_its_row(console: Console, long_clip: Path) -> None:
    page = console.open("tasks")
    with console.cluster.client() as client:
        song = client.upload(long_clip, title="Too Long")
        task = client.separate(song["taskId"], song["audioId"], SeparationType.SPLIT_STEM)
    row = page.locator("tbody tr").filter(has_text=task[:8])
    expect(row.get_by_role("progressbar")).to_be_visible()
    row.get_by_role("button", name="Cancel Too Long").click()
    expect(row).to_contain_text("Cancelled")
    row.get_by_role("button", name="Run Too Long again").click()
    newest = page.locator("tbody tr").first
    expect(newest).not_to_contain_text(task[:8])
    expect(newest.get_by_role("button", name="Cancel Too Long")).to_be_visible()
    newest.get_by_role("button", name="Cancel Too Long").click()
    expect(newest).to_contain_text("Cancelled")
    assert faults(page) == []


def test_a_failed_task_says_why_and_what_to_do(console: Console, clip: Path) -> None:
    with console.cluster.client() as client:
        song = client.upload(clip, title="Lost Song")
        for path in (console.cluster.storage / song["taskId"]).rglob("origin*"):
            path.unlink()
        task = client.separate(song["taskId"], song["audioId"], SeparationType.SPLIT_STEM)
        record = await_end(client, Kind.SEPARATION, task)
    assert record["taskState"] == "failed" and record["errorMessage"]
    page = console.open("tasks?state=failed")
    row = page.locator("tbody tr").filter(has_text=task[:8])
    expect(row).to_contain_text(record["errorMessage"])
    expect(row.get_by_role("button", name="Run Lost Song again")).to_be_visible()
