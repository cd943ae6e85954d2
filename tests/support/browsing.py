"""What the tests do in a browser."""

import time
from collections.abc import Callable

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

MOST_SECONDS = 60


def until(true: Callable[[], object], seconds: float = MOST_SECONDS) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def all_of(browser: webdriver.Chrome | WebElement, selector: str) -> list[WebElement]:
    """The elements of a CSS selector."""
    return browser.find_elements(By.CSS_SELECTOR, selector)


def one_of(browser: webdriver.Chrome | WebElement, selector: str) -> WebElement:
    """The one element of a CSS selector."""
    (found,) = all_of(browser, selector)
    return found


def value(browser: webdriver.Chrome, element: WebElement, name: str) -> object:
    """A property of an element, as scripts see it."""
    return browser.execute_script(f"return arguments[0].{name}", element)


def durations(browser: webdriver.Chrome) -> list[float]:
    """Seconds of each sound of the page; 0 where there is none."""
    found = (value(browser, audio, "duration") for audio in all_of(browser, "audio"))
    return [seconds or 0.0 for seconds in found]


def colours(browser: webdriver.Chrome, selector: str) -> set[str]:
    """In which colours paths are drawn."""
    script = "return getComputedStyle(arguments[0]).stroke"
    return {browser.execute_script(script, path) for path in all_of(browser, selector)}


def complaints(browser: webdriver.Chrome) -> list[dict]:
    """What the browser has written to its console."""
    return browser.get_log("browser")
