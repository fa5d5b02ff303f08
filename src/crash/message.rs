//! What a panic says, as far as it is known to carry no data: texts of the source, and the standard library's sentences.

use std::any::Any;

/// In place of a message that may have anything in it.
const LEFT_OUT: &str = "(its message was made from data and is left out)";

/// How much of a message that begins like a sentence is kept.
#[derive(Clone, Copy)]
enum Kept {
    /// All of it, which is the sentence and nothing more.
    Whole,
    /// The sentence; what follows may be data.
    Beginning,
}

/// Sentences of the standard library; `#` stands for a number.
const SENTENCES: [(&str, Kept); 29] = [
    ("index out of bounds: the len is # but the index is #", Kept::Whole),
    ("range start index # out of range for slice of length #", Kept::Whole),
    ("range end index # out of range for slice of length #", Kept::Whole),
    ("slice index starts at # but ends at #", Kept::Whole),
    ("removal index (is #) should be < len (is #)", Kept::Whole),
    ("swap_remove index (is #) should be < len (is #)", Kept::Whole),
    ("insertion index (is #) should be <= len (is #)", Kept::Whole),
    ("`at` split index (is #) should be <= len (is #)", Kept::Whole),
    ("copy_from_slice: source slice length (#) does not match destination slice length (#)", Kept::Whole),
    ("called `Option::unwrap()` on a `None` value", Kept::Whole),
    ("attempt to add with overflow", Kept::Whole),
    ("attempt to subtract with overflow", Kept::Whole),
    ("attempt to multiply with overflow", Kept::Whole),
    ("attempt to negate with overflow", Kept::Whole),
    ("attempt to divide by zero", Kept::Whole),
    ("attempt to calculate the remainder with a divisor of zero", Kept::Whole),
    ("capacity overflow", Kept::Whole),
    ("a scoped thread panicked", Kept::Whole),
    ("already borrowed", Kept::Beginning),
    ("already mutably borrowed", Kept::Beginning),
    ("called `Result::unwrap()` on an `Err` value", Kept::Beginning),
    ("called `Result::unwrap_err()` on an `Ok` value", Kept::Beginning),
    ("assertion `left == right` failed", Kept::Beginning),
    ("assertion `left != right` failed", Kept::Beginning),
    ("internal error: entered unreachable code", Kept::Beginning),
    ("not implemented", Kept::Beginning),
    ("byte index # is not a char boundary", Kept::Beginning),
    ("start byte index # is not a char boundary", Kept::Beginning),
    ("end byte index # is not a char boundary", Kept::Beginning),
];

/// What may be told of what a panic carries. A `&'static str` stands in the source as it is; a `String` was made of
/// something.
pub(super) fn without_data(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        return (*text).to_owned();
    }
    let known = payload.downcast_ref::<String>().and_then(|message| known_part(message));
    known.map_or_else(|| LEFT_OUT.to_owned(), str::to_owned)
}

/// The part of a message that is a sentence of the standard library.
fn known_part(message: &str) -> Option<&str> {
    SENTENCES.iter().find_map(|&(sentence, kept)| {
        let length = length_of(sentence, message)?;
        match kept {
            Kept::Whole => (length == message.len()).then_some(message),
            // The sentence ends there: it is not the beginning of another word.
            Kept::Beginning if message[length..].starts_with(char::is_alphanumeric) => None,
            Kept::Beginning => Some(&message[..length]),
        }
    })
}

/// How many bytes at the beginning of a message say a sentence.
fn length_of(sentence: &str, message: &str) -> Option<usize> {
    let mut rest = message;
    for (place, words) in sentence.split('#').enumerate() {
        if place > 0 {
            let number = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
            rest = (number.len() < rest.len()).then_some(number)?;
        }
        rest = rest.strip_prefix(words)?;
    }
    Some(message.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_no_data_is_told() {
        for (message, told) in [
            (
                "index out of bounds: the len is 3 but the index is 7",
                "index out of bounds: the len is 3 but the index is 7",
            ),
            ("index out of bounds: the len is 3 but the index is 7 for anna@b.c", LEFT_OUT),
            (
                "range end index 9 out of range for slice of length 4",
                "range end index 9 out of range for slice of length 4",
            ),
            ("removal index (is 3) should be < len (is 3)", "removal index (is 3) should be < len (is 3)"),
            ("called `Option::unwrap()` on a `None` value", "called `Option::unwrap()` on a `None` value"),
            ("called `Result::unwrap()` on an `Err` value: \"anna\"", "called `Result::unwrap()` on an `Err` value"),
            ("the index is sound: InputError { path: \"/home/anna/x.csv\" }", LEFT_OUT),
            ("assertion `left == right` failed: anna\n  left: 1\n right: 2", "assertion `left == right` failed"),
            ("byte index 1 is not a char boundary; it is inside 'é' of `Zoé`", "byte index 1 is not a char boundary"),
            ("byte index anna is not a char boundary", LEFT_OUT),
            ("not implementedly anna", LEFT_OUT),
            ("already borrowed: BorrowMutError", "already borrowed"),
            ("user 17 has no items", LEFT_OUT),
            ("", LEFT_OUT),
        ] {
            assert_eq!(without_data(&message.to_owned()), told, "{message}");
        }
        assert_eq!(without_data(&"a text of the source"), "a text of the source");
        assert_eq!(without_data(&17_u32), LEFT_OUT, "what is no text at all");
    }

    #[test]
    fn the_standard_library_still_says_these_sentences() {
        type Panics = fn(&[u32]) -> usize;
        let cases: [(Panics, &str); 5] = [
            (|v| v[v.len() + 4] as usize, "index out of bounds: the len is 2 but the index is 6"),
            (|v| v[..v.len() + 1].len(), "range end index 3 out of range for slice of length 2"),
            (|v| v.to_vec().remove(v.len()) as usize, "removal index (is 2) should be < len (is 2)"),
            (|v| "anna".parse::<usize>().unwrap() + v.len(), "called `Result::unwrap()` on an `Err` value"),
            (|v| "é".repeat(v.len())[1..].len(), "start byte index 1 is not a char boundary"),
        ];
        for (panics, sentence) in cases {
            let numbers = std::hint::black_box(vec![1, 2]);
            let payload = std::panic::catch_unwind(|| panics(&numbers)).unwrap_err();
            assert_eq!(without_data(payload.as_ref()), sentence);
        }
    }
}
