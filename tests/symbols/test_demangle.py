"""Rust names of both schemes; the expected texts are llvm-cxxfilt 14's (v0) and c++filt 2.40's (legacy)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedbg.symbols import demangle

FN = "<b::W<dyn for<'a> core::ops::function::Fn<(&'a u8,), Output = &'a u8>>>::go"
ITERATOR = "<b::W<dyn core::iter::traits::iterator::Iterator<Item = u8> + core::marker::Send>>::go"
V0 = {
    "_RNvNtCsgEmfK2I1SDS_4core3str16slice_error_fail": "core::str::slice_error_fail",
    "_RNvXss_NtCsgEmfK2I1SDS_4core3fmtuNtB5_5Debug3fmt": "<() as core::fmt::Debug>::fmt",
    "_RNvXCs6xxl1lAjzDf_1aINtB2_2SqKj7_ENtB2_5Shape4areaB2_": "<a::Sq<7> as a::Shape>::area",
    "_RNvYjNtNtCsgEmfK2I1SDS_4core3cmp3Ord3maxCs6xxl1lAjzDf_1a": "<usize as core::cmp::Ord>::max",
    "_RINvNtCsgEmfK2I1SDS_4core3ptr10swap_chunkKj2_ECs6xxl1lAjzDf_1a": "core::ptr::swap_chunk::<2>",
    "_RNCNCNvNtNtCsjrHSEGnQ3l9_3std3sys9backtrace10__print_fmts_00B9_": (
        "std::sys::backtrace::_print_fmt::{closure#1}::{closure#0}"
    ),
    "_RINvMs2_NtCsgEmfK2I1SDS_4core3fmtNtB6_9Arguments3newKj4_Kj1_ECs6xxl1lAjzDf_1a": (
        "<core::fmt::Arguments>::new::<4, 1>"
    ),
    "_RNvXs1h_NtCsgEmfK2I1SDS_4core3fmtQShNtB6_5Debug3fmtCsgY6Mt91CT9J_14rustc_demangle": (
        "<&mut [u8] as core::fmt::Debug>::fmt"
    ),
    "_RNvMCsciUMGOH01m6_1bINtB2_1WDG_INtNtNtCsgEmfK2I1SDS_4core3ops8function2FnTRL0_hEEp6OutputRL0_hEL_E2go"
    "B2_": FN,
    "_RNvMCsciUMGOH01m6_1bINtB2_1WDNtNtNtNtCsgEmfK2I1SDS_4core4iter6traits8iterator8Iteratorp4ItemhNtNtBz_"
    "6marker4SendEL_E2goB2_": ITERATOR,
    "_RNvMCsciUMGOH01m6_1bINtB2_1WFG_RL0_eQL0_ShERL0_eE2goB2_": (
        "<b::W<for<'a> fn(&'a str, &'a mut [u8]) -> &'a str>>::go"
    ),
    "_RNvMCsciUMGOH01m6_1bINtB2_1WFUKClPhEzE2goB2_": (
        '<b::W<unsafe extern "C" fn(i32, *const u8) -> !>>::go'
    ),
    "_RNvMCsciUMGOH01m6_1bINtB2_1WThAfj5_RuEE2goB2_": "<b::W<(u8, [f32; 5], &())>>::go",
    "_RNvMCsciUMGOH01m6_1bINtB2_1WThEE2goB2_": "<b::W<(u8,)>>::go",
    "_RNvMs0_CsciUMGOH01m6_1bINtB5_1CKca_E2goB5_": "<b::C<'\\n'>>::go",
    "_RNvMs1_CsciUMGOH01m6_1bINtB5_1IKxn12c_E2goB5_": "<b::I<-300>>::go",
    "_RNvMs_CsciUMGOH01m6_1bINtB4_1BKb1_E2goB4_": "<b::B<true>>::go",
}
LEGACY = {
    "_ZN1a4cfun17h40dacbc61ab6390cE": "a::cfun",
    "_ZN105_$LT$std..collections..hash..map..Iter$LT$K$C$V$GT$$u20$as$u20$core..iter..traits..iterator.."
    "Iterator$GT$4next17ha9377ea1a5af7979E": (
        "<std::collections::hash::map::Iter<K,V> as core::iter::traits::iterator::Iterator>::next"
    ),
    "_ZN3std6thread5local17LocalKey$LT$T$GT$8try_with17ha435cce09c451f08E": (
        "std::thread::local::LocalKey<T>::try_with"
    ),
    "_ZN4core3ptr27drop_in_place$LT$$RF$u8$GT$17h0123456789abcdefE": "core::ptr::drop_in_place<&u8>",
}


@pytest.mark.parametrize(("raw", "plain"), (V0 | LEGACY).items())
def test_rust_name_reads_as_its_author_wrote_it(raw: str, plain: str) -> None:
    assert demangle(raw) == plain


def test_name_in_other_letters_is_decoded() -> None:
    encoded = "gödel".encode("punycode").decode().replace("-", "_")
    assert demangle(f"_RNvC7mycrateu{len(encoded)}{encoded}") == "mycrate::gödel"


def test_suffix_of_a_compiler_stays_and_that_of_llvm_goes() -> None:
    assert demangle("_RNvC1a1f.cold") == "a::f.cold"
    assert demangle("_RNvC1a1f.llvm.12345678") == "a::f"
    assert demangle("_ZN1a1f17h40dacbc61ab6390cE.llvm.123") == "a::f"
    assert demangle("_ZN1a1f17h40dacbc61ab6390cE.constprop.0") == "a::f.constprop.0"


@pytest.mark.parametrize(
    "name",
    [
        "main", "sys_futex", "", "_R", "_RNv", "_ZN", "_ZN3foo3barEv", "_Z3addii", "_ZNSt6vectorIiE4pushEv",
        "_RNvC1a", "_RNvC9a1f", "_RNvB_1f", "_RNvC1a1f!", "_RMC1aB_", "_RINvC1a1fE_E", "_RNvC1aé1f",
        "_ZN17h40dacbc61ab6390cE", "_ZN99999999999999999999a17h40dacbc61ab6390cE", "_RNvC1a1fC",
    ],
)  # fmt: skip
def test_what_is_not_understood_stays_raw(name: str) -> None:
    assert demangle(name) == name


def test_name_that_would_grow_without_bound_stays_raw() -> None:
    doubling = "_RMC1aT" + "".join("TB7_B7_E" for _ in range(30)) + "E"
    assert len(demangle(doubling)) < 200_000
    nested = "_RMC1a" + "S" * 5000 + "u"
    assert demangle(nested) == nested


@settings(deadline=None)
@given(st.text(alphabet="_RNvCsBMXYIETKFDGLSPOQRAaehjpu0123456789", max_size=60))
def test_any_name_of_the_alphabet_gives_text(tail: str) -> None:
    assert demangle("_R" + tail)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_after_the_legacy_prefix_gives_text(tail: str) -> None:
    assert demangle("_ZN" + tail)
