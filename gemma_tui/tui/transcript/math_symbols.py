"""Unicode characters for LaTeX commands, superscripts and subscripts (names as in amsmath)."""

from __future__ import annotations

from typing import Final


def _table(names: str, symbols: str) -> dict[str, str]:
    """A symbol for each of some names."""
    return dict(zip(names.split(), symbols, strict=True))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GREEK: Final = {
    **_table("alpha beta gamma delta epsilon zeta eta theta", "αβγδεζηθ"),
    **_table("iota kappa lambda mu nu xi pi rho sigma", "ικλμνξπρσ"),
    **_table("tau upsilon phi chi psi omega", "τυφχψω"),
    **_table("Gamma Delta Theta Lambda Xi Pi Sigma", "ΓΔΘΛΞΠΣ"),
    **_table("Upsilon Phi Psi Omega", "ΥΦΨΩ"),
    **_table("varepsilon vartheta varphi varrho varsigma", "εϑφϱς"),
}

_OPERATORS: Final = {
    **_table("cdot times div pm mp ast star circ bullet", "·×÷±∓∗⋆∘•"),
    **_table("oplus otimes cap cup wedge vee land lor", "⊕⊗∩∪∧∨∧∨"),
    **_table("sum prod int iint oint partial nabla", "∑∏∫∬∮∂∇"),
    **_table("neg lnot infty emptyset varnothing", "¬¬∞∅∅"),
    **_table("forall exists nexists angle degree prime", "∀∃∄∠°′"),
    **_table("hbar ell Re Im aleph dagger setminus", "ℏℓℜℑℵ†∖"),
}

_RELATIONS: Final = {
    **_table("le leq ge geq ne neq equiv approx sim", "≤≤≥≥≠≠≡≈∼"),
    **_table("simeq cong propto ll gg prec succ", "≃≅∝≪≫≺≻"),
    **_table("in notin ni subset supset subseteq", "∈∉∋⊂⊃⊆"),
    **_table("supseteq mid parallel perp models vdash", "⊇∣∥⊥⊨⊢"),
}

_ARROWS: Final = {
    **_table("to gets rightarrow leftarrow", "→←→←"),
    **_table("leftrightarrow Rightarrow Leftarrow", "↔⇒⇐"),
    **_table("Leftrightarrow implies iff mapsto", "⇔⇒⇔↦"),
    **_table("uparrow downarrow longrightarrow", "↑↓⟶"),
}

_OTHERS: Final = {
    **_table("ldots dots cdots vdots ddots", "……⋯⋮⋱"),
    **_table("langle rangle lfloor rfloor lceil rceil", "⟨⟩⌊⌋⌈⌉"),
    **_table("lvert rvert vert Vert lVert rVert", "|||‖‖‖"),
    "lbrace": "{",
    "rbrace": "}",
    "backslash": "\\",
    "quad": "  ",
    "qquad": "    ",
}

_FUNCTIONS: Final = _words(
    "sin cos tan cot sec csc log ln lg exp min max sup inf lim det dim ker gcd arg deg arcsin"
    " arccos arctan sinh cosh tanh Pr limsup liminf bmod mod"
)

SYMBOLS: Final = {
    **_GREEK,
    **_OPERATORS,
    **_RELATIONS,
    **_ARROWS,
    **_OTHERS,
    **{name: name for name in _FUNCTIONS},
}
"""What a command without arguments looks like; names of functions look like themselves."""

DROPPED: Final = _words(
    "left right big Big bigg Bigg bigl bigr displaystyle textstyle limits nolimits"
    " nonumber mathstrut"
)
"""Commands that only say how something is set."""

SPACES: Final = {",": " ", ";": " ", ":": " ", "!": "", " ": " "}
"""Commands of one character that are spaces, or take some away."""

FONTS: Final = _words(
    "text textbf textit textrm textsf mathrm mathbf mathit mathsf mathtt mathcal operatorname"
    " boldsymbol bm mbox boxed"
)
"""Commands whose argument is shown as it is."""

DOUBLE_STRUCK: Final = {"C": "ℂ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ", "E": "𝔼"}

ACCENTS: Final = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0304",
    "vec": "\u20d7",
    "dot": "\u0307",
    "ddot": "\u0308",
    "tilde": "\u0303",
}
"""Combining marks that follow the letter they stand on."""

SUPERSCRIPTS: Final = dict(
    zip(
        "0123456789+-=()niabcdefghjklmoprstuvwxyzT′",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵃᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ′",
        strict=True,
    )
)

SUBSCRIPTS: Final = dict(
    zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True)
)
