//! Finding texts by a part of their letters, as editors' palettes do.

/// How well `query` fits `text`: `None` if its letters do not occur in order; more is better.
///
/// Letters at the start of words and letters that follow each other count more, as in other editors' palettes.
pub(crate) fn fuzzy_score(query: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut score = 0;
    let mut from = 0;
    let mut previous = None;
    for wanted in query.to_lowercase().chars().filter(|character| !character.is_whitespace()) {
        let starts_word = |at: usize| at == 0 || !text[at - 1].is_alphanumeric();
        let follows = previous.map(|at: usize| at + 1).filter(|&at| text.get(at) == Some(&wanted));
        let next_word = (from..text.len()).find(|&at| text[at] == wanted && starts_word(at));
        let anywhere = (from..text.len()).find(|&at| text[at] == wanted);
        let at = follows.or(next_word).or(anywhere)?;
        score += if follows.is_some() {
            4
        } else if starts_word(at) {
            3
        } else {
            1
        };
        previous = Some(at);
        from = at + 1;
    }
    // Of two that fit alike, the shorter one is closer to what was typed.
    Some(score * 64 - text.len() as i32)
}
