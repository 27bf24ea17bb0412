# SPDX-License-Identifier: Apache-2.0
"""The playground in a browser, as people use it: from a pasted text to a document, by keyboard only."""
import json
import re
import subprocess
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from conftest import KEY

TEXT = "Please welcome Ada Byron, our new engineer. Write to ada@byron.example."
SPEC = "fields:\n  name: string 1..40\n  email: email\n  role: one of [engineer, sales]\n"


def type_into(page, selector, text):
    page.focus(selector)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def finish(page, *states):
    wanted = ", ".join(f'#result[data-state="{state}"]' for state in states or ("good", "short"))
    page.wait_for_selector(wanted, timeout=60_000)


def run(page, *states):
    page.keyboard.press("Control+Enter")
    finish(page, *states)


def tab_to(page, wanted, limit=40):
    """Presses the tab key until an element has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == wanted:
            return
    raise AssertionError(f"'{wanted}' was not reached with the tab key")


def accessible(page):
    violations = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    assert violations.violations_count == 0, violations.generate_report()


def shown(page):
    """The document as the page lays it out, back as a value."""
    return json.loads("".join(page.locator("#document .t").all_text_contents()))


def test_from_paste_to_result_by_keyboard(watch):
    watched = watch()
    page = watched.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "text")
    page.evaluate("text => navigator.clipboard.writeText(text)", TEXT)
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+V")
    assert page.input_value("#text") == TEXT
    tab_to(page, "spec")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(SPEC)
    expect(page.locator("#specState")).to_have_text("short spec, no problems")
    tab_to(page, "run")
    page.keyboard.press("Enter")
    finish(page, "good")
    value = shown(page)
    assert list(value) == ["name", "email", "role"] and value["role"] in ["engineer", "sales"]
    assert page.text_content("#verdict") == "Valid, complete"
    assert page.evaluate("document.activeElement.id") == "run", "the focus stays where it was"
    assert re.fullmatch(r"Done: the document is valid\. \d+ tokens in .*", page.text_content("#live"))

    # What was forced is told from what was chosen, and each choice among how many tokens.
    assert page.locator("#document .forced").count() > 0 and page.locator("#document .chosen").count() > 0
    tab_to(page, "document")
    told = []
    for _ in range(page.locator("#tokenRows tr").count()):
        page.keyboard.press("ArrowRight")
        told.append(page.text_content("#inspector"))
    assert any("forced" in line for line in told)
    assert any(re.search(r"chosen among [\d,]+ · at", line) for line in told)
    page.keyboard.press("Home")
    watched.shot("result-light")
    accessible(page)

    # The views of the result, by arrow keys.
    page.focus("#tabDocument")
    page.keyboard.press("ArrowRight")
    pointers = page.locator("#fieldRows .pointer").all_text_contents()
    assert pointers == ["/name", "/email", "/role"]
    assert page.locator("#fieldRows .value").all_text_contents() == [value[name] for name in value]
    watched.shot("fields")
    accessible(page)
    page.keyboard.press("ArrowRight")
    texts = page.locator("#tokenRows .piece").all_text_contents()
    assert json.loads("".join(texts).replace("␣", " ")) == value
    watched.shot("tokens")
    accessible(page)
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#code")
    watched.shot("code")
    accessible(page)


def test_the_document_grows(watch):
    page = watch().open()
    page.evaluate("""() => {
        window.lengths = new Set();
        new MutationObserver(() => lengths.add(document.querySelector('#document').textContent.length))
            .observe(document.querySelector('#document'), {childList: true, subtree: true});
    }""")
    run(page)
    assert page.evaluate("lengths.size") > 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours(watch, scheme):
    watched = watch(color_scheme=scheme)
    page = watched.open()

    def brightness():
        colour = page.evaluate("getComputedStyle(document.querySelector('.result')).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3])

    def is_light():
        return brightness() > 3 * 128

    assert is_light() == (scheme == "light")
    watched.shot(f"empty-{scheme}")
    accessible(page)
    run(page)
    watched.shot(f"whole-{scheme}")
    accessible(page)
    other = "dark" if scheme == "light" else "light"
    page.focus("input[name=theme]:checked")
    page.keyboard.press("ArrowRight")
    if other == "dark":
        page.keyboard.press("ArrowRight")
    assert is_light() == (other == "light")
    accessible(page)
    page.reload()
    assert is_light() == (other == "light"), "the choice is kept"


@pytest.mark.parametrize("width", [320, 390])
def test_phone(watch, width):
    watched = watch(viewport={"width": width, "height": 780}, has_touch=True, is_mobile=True)
    page = watched.open()
    page.tap("#run")
    finish(page)
    page.tap("#document .chosen")
    assert "among" in page.text_content("#inspector")
    for tab in ["Document", "Fields", "Tokens", "Code"]:
        page.tap(f"#tab{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{tab} is wider than the screen"
        watched.shot(f"phone-{width}-{tab.lower()}", full_page=True)
    accessible(page)


def test_problems_of_the_spec_are_at_their_lines(watch):
    watched = watch()
    page = watched.open()
    type_into(page, "#spec", "fields:\n  name: string\n  age: integr\n")
    page.wait_for_selector("#problems .error")
    assert page.text_content("#problems .where") == "Line 3"
    assert page.locator(".gutter .error").all_text_contents() == ["3"]
    assert page.get_attribute("#spec", "aria-invalid") == "true"
    accessible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "spec"
    line = page.evaluate("(area => area.value.slice(0, area.selectionStart).split('\\n').length)(document.activeElement)")
    assert line == 3
    watched.shot("spec-problem")
    # A request with it is refused, and told in place.
    run(page, "bad")
    assert "integr" in page.text_content("#failure") and page.is_visible("#failure")
    watched.shot("refused")
    accessible(page)
    page.click("#failure button")
    assert page.evaluate("document.activeElement.id") == "spec"
    type_into(page, "#spec", '{"type": "object", "properties": {"a": {"pattern": "(x)\\\\1"}}}')
    page.wait_for_selector("#problems .error")
    run(page, "bad")
    assert "/properties/a/pattern" in page.text_content("#failure")


def test_budgets(watch):
    watched = watch()
    page = watched.open()
    page.focus("#options summary")
    page.keyboard.press("Enter")
    type_into(page, "#maxTokens", "3")
    run(page, "bad")
    assert "budget" in page.text_content("#failure")
    page.click("#failure button")
    assert page.evaluate("document.activeElement.id") == "maxTokens"
    type_into(page, "#spec", "fields:\n  summary: string 120..400\n")
    type_into(page, "#maxTokens", "60")
    expect(page.locator("#specState")).to_have_text("short spec, no problems")
    run(page, "good", "short")
    value = shown(page)
    assert 120 <= len(value["summary"]) <= 400
    watched.shot("budget")
    accessible(page)


def test_cancelling(watch):
    page = watch().open()
    type_into(page, "#spec", "fields:\n  story: string 2000..4000\n")
    type_into(page, "#text", "Tell a long story.")
    page.evaluate("document.querySelector('#maxTokens').value = 4000")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#document .t", timeout=60_000)
    page.keyboard.press("Escape")
    page.wait_for_selector('#result[data-state="cancelled"]')
    assert page.text_content("#verdict") == "Cancelled"
    # The page can go on at once, with the button too.
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#document .t", timeout=60_000)
    page.click("#cancel")
    page.wait_for_selector('#result[data-state="cancelled"]')


def test_copying(watch):
    page = watch().open()
    run(page)
    page.click("#copyDocument")
    expect(page.locator("#copyDocument")).to_have_text("Copied")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == shown(page)
    page.click("#tabCode")
    for language, word in [("curl", "curl -s"), ("python", "from openai"), ("javascript", "await fetch")]:
        page.check(f"input[value={language}]", force=True)
        page.click("#copyCode")
        expect(page.locator("#copyCode")).to_have_text("Copied")
        code = page.evaluate("navigator.clipboard.readText()")
        assert code == page.text_content("#code") and word in code
        if language == "python":
            compile(code, "snippet", "exec")


def test_the_curl_command_gives_the_same_document(watch):
    page = watch().open()
    run(page)
    page.click("#tabCode")
    answer = subprocess.run(["sh"], input=page.text_content("#code"), capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["value"] == shown(page)


def test_every_sample_can_be_used(watch):
    page = watch().open()
    samples = page.locator("#sample option").count()
    for index in range(samples - 1):
        page.select_option("#sample", str(index))
        expect(page.locator("#specState")).to_contain_text("no problems")
    # What somebody wrote can be brought back.
    type_into(page, "#text", TEXT)
    page.select_option("#sample", "0")
    assert page.input_value("#text") != TEXT
    page.click("#restore")
    assert page.input_value("#text") == TEXT
    page.reload()
    assert page.input_value("#text") == TEXT, "inputs outlive a reload"


def test_keys(watch, guarded):
    watched = watch(guarded)
    page = watched.page
    page.goto(guarded + "/")
    page.wait_for_selector("#key", state="visible")
    assert page.text_content("#keyState") == "API key needed"
    watched.shot("key-needed")
    accessible(page)
    type_into(page, "#key", KEY)
    expect(page.locator("#model")).to_have_value("small")
    page.keyboard.press("Escape")
    run(page)
    page.click("#tabCode")
    assert "$FORMWORK_API_KEY" in page.text_content("#code") and KEY not in page.text_content("#code")
    stored = page.evaluate("[JSON.stringify(localStorage), document.cookie]")
    assert KEY not in "".join(stored), "the key is kept in the tab only"


def test_a_service_that_went_away_is_told(watch):
    watched = watch()
    page = watched.open()
    watched.context.set_offline(True)
    run(page, "bad")
    assert "cannot be reached" in page.text_content("#failure")
    watched.context.set_offline(False)
    run(page)


def test_less_motion(watch):
    page = watch(reduced_motion="reduce").open()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#document .t", timeout=60_000)
    moving = page.evaluate("document.getAnimations().filter(one => one.playState == 'running').length")
    assert moving == 0
    finish(page)


def test_the_policy_holds(watch, address):
    """What a script on the page might try is stopped by the browser."""
    with urllib.request.urlopen(address + "/") as response:
        policy = response.headers["Content-Security-Policy"]
        body = response.read().decode()
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", body)
    watched = watch()
    page = watched.open()
    blocked = page.evaluate("""async () => {
        const seen = new Promise(done => document.addEventListener('securitypolicyviolation', e => done(e.violatedDirective)));
        try { await fetch('http://localhost:9/'); } catch {}
        return seen;
    }""")
    assert blocked == "connect-src"
    # The browser told of it, as it should.
    watched.problems = [problem for problem in watched.problems if "localhost:9" not in problem]
    watched.requests = [url for url in watched.requests if url != "http://localhost:9/"]
