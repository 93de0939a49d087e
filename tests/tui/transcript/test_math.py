"""Formulas: found where they are meant, and legible as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_tui.tui.transcript.inline import InlineParser
from gemma_tui.tui.transcript.math_text import MAX_LENGTH, to_unicode
from tests.tui.transcript.drawing import draw, shown


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"a^2 + b^2 = c^2", "a² + b² = c²"),
        (r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}", "(-b ± √(b²-4ac))/2a"),
        (r"\sum_{i=1}^{n} x_i", "∑ᵢ₌₁ⁿ xᵢ"),
        (r"\int_0^\infty e^{-x^2}\,dx", "∫₀^∞ e^(-x²) dx"),
        (r"\alpha \leq \beta \Rightarrow \Omega \in \mathbb{R}^n", "α ≤ β ⇒ Ω ∈ ℝⁿ"),
        (r"\lim_{x \to 0} \frac{\sin x}{x}", "lim_(x → 0) (sin x)/x"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a = b\nc = d"),
        (r"\sqrt[3]{8} \hat{x} \vec{AB}", "³√8 x\u0302 vec(AB)"),
        (r"\text{if } x > 0", "if x > 0"),
        (r"\left( x_{i,j} \right) \{1\} \$5", "( x_(i,j) ) {1} $5"),
        (r"\foo{bar} \\ 5\%", "\\foobar\n5%"),
        ("\\", "\\"),
        ("{{a}", "a"),
        ("x^", "x^"),
    ],
)
def test_a_formula_as_text(source: str, text: str) -> None:
    assert to_unicode(source) == text


def test_what_is_too_long_or_too_deep_stays_as_it_is() -> None:
    long, deep = "x" * (MAX_LENGTH + 1), "{" * 500 + "x"
    assert (to_unicode(long), to_unicode(deep)) == (long, deep)


@given(st.text(st.sampled_from("ab1 {}^_&~[]$\n漢é"), max_size=200))
def test_no_letter_or_digit_is_lost(source: str) -> None:
    plain = "".join(c for c in source if c in "ab1")
    found = to_unicode(source).translate(str.maketrans("ᵃᵇ¹ₐ₁", "ab1a1"))
    assert "".join(c for c in found if c in "ab1") == plain


def spans_of(text: str) -> list[tuple[str, str]]:
    return [(piece, style) for piece, style in InlineParser().spans(text) if piece.strip()]


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("so $x^2$ it", "x²"),
        (r"so \(x_1\) it", "x₁"),
        (r"so $\$5$ it", "$5"),
        ("$a*b*c$", "a*b*c"),
        ("**$x$**", "x"),
    ],
)
def test_formulas_in_a_line(text: str, formula: str) -> None:
    found = [piece for piece, style in spans_of(text) if "math" in style.split()]
    assert found == [formula]


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6",
        "$5, up from $4.",
        "from US$5 to US$6",
        "($5) or ($6)",
        "$HOME/$USER and $PATH",
        "5$ or 6$",
        "a $ b $ c",
        "$$",
        "$ x$",
        "an open $x and no end",
        "$x\ny$",
    ],
)
def test_prices_and_variables_are_no_formulas(text: str) -> None:
    assert "".join(piece for piece, _ in InlineParser().spans(text)) == text


def test_code_is_no_formula() -> None:
    assert spans_of("`$x$` and `\\(y\\)`") == [("$x$", "code"), (" and ", ""), ("\\(y\\)", "code")]
    assert shown("```\n$x^2$\n```") == [" $x^2$"]


def test_formulas_on_lines_of_their_own() -> None:
    assert shown("so $$a^2$$ it\n\\[\nb_1\n\\]\nend") == ["so", "  a²", " it", "  b₁", "end"]
    assert shown("| a | b |\n|--|--|\n| $x^2$ | y |") == ["a   │ b", "────┼────", "x²  │ y"]


@given(st.text(st.sampled_from("ab $\\()[]^_{}\n`*"), max_size=80), st.integers(1, 12))
def test_the_pieces_it_arrives_in_do_not_matter(text: str, step: int) -> None:
    assert draw(text, step=step) == draw(text)
