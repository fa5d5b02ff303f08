//! Names that are cut to the room that there is, and stay apart from each other.

use super::font::{self, Weight};

/// Letters of what tells two names apart that are shown at most, before the part that they share.
const TAIL: usize = 28;
/// How far back from where two names part a word is looked for to begin with.
const WORD: usize = 10;

/// Names, each as much of it as fits `room`.
pub fn fitted<'n>(names: impl IntoIterator<Item = &'n str>, size: f32, weight: Weight, room: f32) -> Vec<String> {
    cut(names, |name| font::fitted(name, size, weight, room))
}

/// Names, each in at most `max_lines` lines no wider than `room`.
pub fn wrapped<'n>(
    names: impl IntoIterator<Item = &'n str>,
    size: f32,
    weight: Weight,
    room: f32,
    max_lines: usize,
) -> Vec<Vec<String>> {
    cut(names, |name| font::wrapped(name, size, weight, room, max_lines).join("\n"))
        .into_iter()
        .map(|name| name.lines().map(str::to_owned).collect())
        .collect()
}

/// What `short` makes of each name; where it makes the same of two that differ, of their beginnings and of where they part.
fn cut<'n>(names: impl IntoIterator<Item = &'n str>, short: impl Fn(&str) -> String) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let plain: Vec<String> = names.iter().map(|name| short(name)).collect();
    let apart = |(index, name): (usize, &&str)| {
        let alike = names.iter().zip(&plain).filter(|(other, cut)| *other != name && **cut == plain[index]);
        match alike.map(|(other, _)| shared(name, other)).max() {
            Some(shared) => with_difference(name, shared, &short),
            None => plain[index].clone(),
        }
    };
    names.iter().enumerate().map(apart).collect()
}

/// How many letters two names have in common at their beginning.
fn shared(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// `Softmax-KL of gro…lambda 2.0`: as much of the beginning as leaves room for what comes after the letters that another name
/// shares.
fn with_difference(name: &str, shared: usize, short: impl Fn(&str) -> String) -> String {
    let letters: Vec<char> = name.chars().collect();
    let begins = |index: &usize| *index == 0 || letters[index - 1].is_whitespace();
    let start = (shared.saturating_sub(WORD)..shared).find(begins).unwrap_or(shared);
    let tail = &letters[start..letters.len().min(start + TAIL)];
    let more = if start + TAIL < letters.len() { "…" } else { "" };
    let tail: String = tail.iter().collect::<String>() + more;
    let whole = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    let with_head = |head: usize| format!("{}…{tail}", letters[..head].iter().collect::<String>().trim_end());
    let fits = (0..start).rev().map(with_head).find(|words| whole(&short(words)) == whole(words));
    fits.unwrap_or_else(|| short(&with_head(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = [
        "Softmax-KL of groups against the latest state, lambda 1.0",
        "Softmax-KL of groups against the latest state, lambda 2.0",
        "PESO",
    ];

    #[test]
    fn long_names_are_cut_where_they_are_alike() {
        let cut = fitted(NAMES, 12.0, Weight::Regular, 150.0);
        assert_eq!(cut[2], "PESO");
        assert!(cut[0].starts_with("Softmax") && cut[0].ends_with("…lambda 1.0"), "{cut:?}");
        assert!(cut[1].starts_with("Softmax") && cut[1].ends_with("…lambda 2.0"), "{cut:?}");
        assert!(cut.iter().all(|name| font::width(name, 12.0, Weight::Regular) <= 150.0));
    }

    #[test]
    fn names_that_stay_apart_are_cut_at_their_ends_as_ever() {
        let alone = fitted(["PESO with a very long description of it", "Single"], 12.0, Weight::Regular, 80.0);
        assert!(alone[0].starts_with("PESO") && alone[0].ends_with('…'));
        assert_eq!(alone[1], "Single");
        // The same name twice is the same name.
        let same = fitted([NAMES[0], NAMES[0]], 12.0, Weight::Regular, 150.0);
        assert_eq!(same[0], same[1]);
    }

    #[test]
    fn names_in_lines_stay_apart_as_well() {
        let cut = wrapped(NAMES, 12.0, Weight::Regular, 90.0, 2);
        assert!(cut[0].len() <= 2 && cut[0] != cut[1], "{cut:?}");
        assert!(cut[1].join(" ").ends_with("lambda 2.0"), "{cut:?}");
    }
}
