//! Reads the text of a filter, letter by letter.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::CharIndices;

use super::{Comparison, Filter, Misunderstanding};
use crate::app::panels::runs::complete::closest;

/// Letters of a filter at most: parentheses inside of each other take room on the stack.
const LONGEST: usize = 1_000;

pub(super) struct Reader<'a> {
    text: &'a str,
    letters: Peekable<CharIndices<'a>>,
    keys: &'a BTreeSet<String>,
}

/// A word as it stands in the text.
enum Token {
    Open,
    Or,
    /// In quotes, it is never a key or `or`.
    Quoted(String),
    Plain(String),
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, keys: &'a BTreeSet<String>) -> Self {
        Self { text, letters: text.char_indices().peekable(), keys }
    }

    /// The filter that the whole text is.
    pub(super) fn whole(mut self) -> Result<Filter, Misunderstanding> {
        if self.text.len() > LONGEST {
            return Err(Misunderstanding(format!("the filter is longer than {LONGEST} letters")));
        }
        let filter = self.any()?;
        match self.letters.peek() {
            None => Ok(filter),
            Some(_) => Err(Misunderstanding("\")\" closes nothing; put a \"(\" before it, or take it out".to_owned())),
        }
    }

    /// Sets of terms with `or` between them.
    fn any(&mut self) -> Result<Filter, Misunderstanding> {
        let mut sets = vec![Vec::new()];
        while let Some(token) = self.token()? {
            match token {
                Token::Or if sets.last().is_none_or(Vec::is_empty) => {
                    return Err(Misunderstanding("\"or\" stands between two terms: seed:1 or seed:2".to_owned()));
                }
                Token::Or => sets.push(Vec::new()),
                token => {
                    let term = self.term(token)?;
                    if let Some(set) = sets.last_mut() {
                        set.push(term);
                    }
                }
            }
        }
        let mut sets: Vec<Filter> = sets.into_iter().map(Filter::All).collect();
        Ok(if sets.len() == 1 { sets.remove(0) } else { Filter::Any(sets) })
    }

    fn term(&mut self, token: Token) -> Result<Filter, Misunderstanding> {
        match token {
            Token::Open => {
                let inside = self.any()?;
                match self.letters.next() {
                    Some((_, ')')) => Ok(inside),
                    _ => Err(Misunderstanding("a \"(\" stays open; put a \")\" behind its last term".to_owned())),
                }
            }
            Token::Or => Ok(Filter::Word("or".to_owned())),
            Token::Quoted(word) => Ok(Filter::Word(word)),
            Token::Plain(word) => match word.strip_prefix('-') {
                Some("") => {
                    let next = self.token()?.ok_or_else(|| {
                        Misunderstanding("\"-\" stands before what is not wanted: -status:failed".to_owned())
                    })?;
                    Ok(Filter::Not(Box::new(self.term(next)?)))
                }
                Some(rest) => Ok(Filter::Not(Box::new(self.word(rest.to_owned())?))),
                None => self.word(word),
            },
        }
    }

    /// A word, or the comparison that it begins.
    fn word(&mut self, word: String) -> Result<Filter, Misunderstanding> {
        let Some((negated, comparison)) = self.comparison() else { return Ok(Filter::Word(word)) };
        let key = self.key(&word)?;
        let sign = if negated { "!=" } else { comparison.sign() };
        let values = self.values(&key, sign)?;
        if comparison.is_of_numbers()
            && let Some(text) = values.iter().find(|value| value.parse::<f64>().is_err())
        {
            return Err(Misunderstanding(format!(
                "\"{text}\" is no number; {sign} compares numbers, as in {key}{sign}20"
            )));
        }
        let compare = Filter::Compare { key, comparison, values };
        Ok(if negated { Filter::Not(Box::new(compare)) } else { compare })
    }

    fn key(&self, word: &str) -> Result<String, Misunderstanding> {
        if self.keys.contains(word) {
            return Ok(word.to_owned());
        }
        let near = closest(word, self.keys.iter().map(String::as_str));
        let advice = near.map_or_else(
            || {
                "possible are method, experiment, seed, status, tag, note, a metric such as ndcg@10, and every option"
                    .to_owned()
            },
            |near| format!("did you mean {near}?"),
        );
        Err(Misunderstanding(format!("No run has \"{word}\"; {advice}")))
    }

    /// The values behind a comparison, with commas between them.
    fn values(&mut self, key: &str, sign: &str) -> Result<Vec<String>, Misunderstanding> {
        let mut values = Vec::new();
        loop {
            match self.token()? {
                Some(Token::Quoted(value)) => values.push(value),
                Some(Token::Plain(value)) => {
                    values.extend(value.split(',').filter(|part| !part.is_empty()).map(str::to_owned));
                    if !value.ends_with(',') {
                        break;
                    }
                    continue;
                }
                Some(Token::Or) => values.push("or".to_owned()),
                Some(Token::Open) | None => {}
            }
            break;
        }
        if values.is_empty() {
            return Err(Misunderstanding(format!("\"{key}{sign}\" lacks its value")));
        }
        Ok(values)
    }

    fn skip_space(&mut self) {
        while self.letters.next_if(|(_, letter)| letter.is_whitespace()).is_some() {}
    }

    /// The comparison that stands next, and whether it is negated. `lambda >= 20` may have spaces around it, `key: value` behind.
    fn comparison(&mut self) -> Option<(bool, Comparison)> {
        let before = self.letters.clone();
        self.skip_space();
        let spaced = before.clone().peek() != self.letters.peek();
        let found = match self.letters.peek()?.1 {
            ':' if !spaced => Some((false, Comparison::Has)),
            '=' => Some((false, Comparison::Is)),
            '!' => Some((true, Comparison::Is)),
            '<' => Some((false, Comparison::Less)),
            '>' => Some((false, Comparison::More)),
            _ => None,
        };
        let Some((negated, comparison)) = found else {
            self.letters = before;
            return None;
        };
        self.letters.next();
        let with_equals = comparison != Comparison::Has && self.letters.next_if(|(_, letter)| *letter == '=').is_some();
        Some(match (comparison, with_equals) {
            (Comparison::Less, true) => (negated, Comparison::AtMost),
            (Comparison::More, true) => (negated, Comparison::AtLeast),
            (comparison, _) => (negated, comparison),
        })
    }

    /// The next word in small letters; none before a closing parenthesis and at the end.
    fn token(&mut self) -> Result<Option<Token>, Misunderstanding> {
        self.skip_space();
        let Some(&(start, letter)) = self.letters.peek() else { return Ok(None) };
        match letter {
            ')' => return Ok(None),
            '(' => {
                self.letters.next();
                return Ok(Some(Token::Open));
            }
            '"' => {
                self.letters.next();
                let word: String =
                    std::iter::from_fn(|| self.letters.next_if(|(_, letter)| *letter != '"')).map(|(_, l)| l).collect();
                return match self.letters.next() {
                    Some(_) => Ok(Some(Token::Quoted(word.to_lowercase()))),
                    None => {
                        Err(Misunderstanding(format!("the quote before \"{word}\" stays open; put another behind it")))
                    }
                };
            }
            ':' | '=' | '!' | '<' | '>' => {
                return Err(Misunderstanding(format!("\"{letter}\" lacks its key: seed{letter}42")));
            }
            _ => {}
        }
        if self.letters.next_if(|(_, letter)| *letter == '-').is_some()
            && self.letters.peek().is_some_and(|(_, letter)| matches!(letter, '"' | '('))
        {
            return Ok(Some(Token::Plain("-".to_owned())));
        }
        let ends =
            |letter: char| letter.is_whitespace() || matches!(letter, ':' | '=' | '!' | '<' | '>' | '(' | ')' | '"');
        while self.letters.next_if(|(_, letter)| !ends(*letter)).is_some() {}
        let end = self.letters.peek().map_or(self.text.len(), |(at, _)| *at);
        let word = self.text[start..end].to_lowercase();
        Ok(Some(if word == "or" { Token::Or } else { Token::Plain(word) }))
    }
}
