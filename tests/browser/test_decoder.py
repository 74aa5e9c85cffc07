"""The decoder in a real browser: fields and bytes follow each other, and what cannot be is said in place."""

from playwright.sync_api import Page

from tests.browser.conftest import Lab, OpenNotebook

CELL = "from nvmelm_lab.notebook import decoder\nshown = decoder('MQE')\nshown"


def test_fields_and_bytes_follow_each_other(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(lab.write("decoder.ipynb", CELL))
    root = page.locator(".nvd[data-painted]")
    root.wait_for()
    box, slba = root.locator("textarea"), root.get_by_label("SLBA")
    slba.fill("48")
    slba.press("Enter")
    says(page, "textarea", "00 30 00")
    assert root.locator(".nvd-shade i").count() == 8, "each byte of the field in hand has a frame"
    box.fill(box.input_value().replace("30", "31"))
    says(page, "[aria-label=SLBA]", "49")
    slba.fill("forty")
    slba.press("Enter")
    refused = root.locator(".nvd-refused")
    refused.filter(has_text="SLBA cannot be 'forty'").wait_for()
    assert slba.get_attribute("aria-invalid") == "true"
    assert slba.input_value() == "forty"
    root.locator("select").select_option("CQE")
    root.get_by_text("CQE, 16 bytes").wait_for()
    assert refused.inner_text() == ""
    assert root.evaluate("node => node.scrollWidth <= node.clientWidth")


def says(page: Page, what: str, words: str) -> None:
    page.wait_for_function(
        "([what, words]) => document.querySelector(`.nvd ${what}`)?.value.includes(words)", arg=[what, words]
    )
