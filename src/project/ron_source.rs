//! Where the fields of a RON text are, and what its parser's errors mean to people.

use ron::error::{Error, SpannedError};

/// One `name:` of a RON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The names from the outermost in, with places in lists: `experiments[1].method.lambda`.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// Line and column of the comma or bracket that ends its value.
    end: (usize, usize),
}

impl Field {
    /// The innermost name of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

/// Lists every `name:` of a RON text, in file order.
///
/// It only looks at brackets, names, strings and comments, so it works on a text that does not parse, up to the place
/// where it goes wrong and often beyond.
pub(super) fn fields(text: &str) -> Vec<Field> {
    let mut scanner = Scanner { rest: text.chars().collect(), at: 0, line: 1, column: 1 };
    let mut open: Vec<Level> = Vec::new();
    let mut found = Vec::new();
    while let Some(character) = scanner.peek() {
        match character {
            '"' => scanner.skip_string(),
            '/' => scanner.skip_comment(),
            '(' | '{' => open.push(scanner.step(Level::Struct { field: None })),
            '[' => open.push(scanner.step(Level::List { place: 0 })),
            ')' | ']' | '}' => {
                if let Some(Level::Struct { field: Some((_, number)) }) = open.pop() {
                    end_field(&mut found, number, &scanner);
                }
                scanner.step(());
            }
            ',' => {
                match open.last_mut() {
                    Some(Level::List { place }) => *place += 1,
                    Some(Level::Struct { field }) => {
                        if let Some((_, number)) = field.take() {
                            end_field(&mut found, number, &scanner);
                        }
                    }
                    None => {}
                }
                scanner.step(());
            }
            c if c.is_alphabetic() || c == '_' => {
                let (line, column) = (scanner.line, scanner.column);
                let name = scanner.name();
                scanner.skip_white();
                if scanner.peek() == Some(':') {
                    if let Some(Level::Struct { field }) = open.last_mut() {
                        *field = Some((name, found.len()));
                    }
                    found.push(Field { path: path_of(&open), line, column, end: (usize::MAX, usize::MAX) });
                }
            }
            _ => scanner.step(()),
        }
    }
    found
}

/// An open bracket and where in it the scanner is.
enum Level {
    /// The field whose value is being read, and its place in what was found.
    Struct {
        field: Option<(String, usize)>,
    },
    List {
        place: usize,
    },
}

fn end_field(found: &mut [Field], number: usize, scanner: &Scanner) {
    if let Some(field) = found.get_mut(number) {
        field.end = (scanner.line, scanner.column);
    }
}

fn path_of(open: &[Level]) -> String {
    let mut path = String::new();
    for level in open {
        match level {
            Level::Struct { field: Some((name, _)) } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Level::Struct { field: None } => {}
            Level::List { place } => path.push_str(&format!("[{place}]")),
        }
    }
    path
}

struct Scanner {
    rest: Vec<char>,
    at: usize,
    line: usize,
    column: usize,
}

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    /// Goes past one character and hands `value` through.
    fn step<T>(&mut self, value: T) -> T {
        if self.peek() == Some('\n') {
            self.line += 1;
            self.column = 0;
        }
        self.at += 1;
        self.column += 1;
        value
    }

    fn skip_white(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.step(());
        }
    }

    fn name(&mut self) -> String {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.step(());
        }
        self.rest[from..self.at].iter().collect()
    }

    fn skip_string(&mut self) {
        self.step(());
        while let Some(character) = self.peek() {
            self.step(());
            match character {
                '\\' => self.step(()),
                '"' => return,
                _ => {}
            }
        }
    }

    fn skip_comment(&mut self) {
        self.step(());
        match self.peek() {
            Some('/') => {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.step(());
                }
            }
            Some('*') => {
                let mut previous = ' ';
                self.step(());
                while let Some(character) = self.peek() {
                    self.step(());
                    if previous == '*' && character == '/' {
                        return;
                    }
                    previous = character;
                }
            }
            _ => {}
        }
    }
}

/// The words for a parser's error, its place (`line 12, column 5, field "lambda"`) and what was expected.
pub(super) struct Described {
    pub problem: String,
    pub place: String,
    pub expected: Option<String>,
}

/// Puts a parser's error into words for people.
pub(super) fn describe(error: &SpannedError, text: &str) -> Described {
    let fields = fields(text);
    let (problem, expected, named) = in_words(&error.code);
    let (start, end) = ((error.span.start.line, error.span.start.col), (error.span.end.line, error.span.end.col));
    if let Some(name) = named {
        // The parser stops just past a name that it does not know.
        let field = fields.iter().rev().find(|field| (field.line, field.column) <= end && field.name() == name);
        let (line, column) = field.map_or(end, |field| (field.line, field.column));
        return Described { problem, place: format!("line {line}, column {column}"), expected };
    }
    // A field is missing where its struct ends, which is no part of the field before.
    let missing = matches!(error.code, Error::MissingStructField { .. });
    let holds =
        |field: &&Field| (field.line, field.column) <= start && (start < field.end || (start == field.end && !missing));
    let within = fields.iter().rev().find(holds).map(|field| format!(", field `{}`", field.path)).unwrap_or_default();
    Described { problem, place: format!("line {}, column {}{within}", start.0, start.1), expected }
}

/// The problem, what was expected, and the field's name where the error is about a name in the text.
fn in_words(error: &Error) -> (String, Option<String>, Option<String>) {
    match error {
        Error::NoSuchStructField { expected, found, .. } => {
            (format!("unknown field `{found}`"), Some(one_of(expected)), Some(found.clone()))
        }
        Error::DuplicateStructField { field, .. } => {
            (format!("field `{field}` is given twice"), Some("keep one of them".to_owned()), Some((*field).to_owned()))
        }
        Error::MissingStructField { field, outer } => {
            let within = outer.as_ref().map(|outer| format!(" in {outer}")).unwrap_or_default();
            (format!("field `{field}` is missing{within}"), None, None)
        }
        Error::NoSuchEnumVariant { expected, found, .. } => {
            (format!("unknown choice `{found}`"), Some(one_of(expected)), None)
        }
        Error::InvalidValueForType { expected, found } => {
            (format!("{found} cannot be used here"), Some(format!("expected {expected}")), None)
        }
        other => {
            let text = other.to_string();
            let mut letters = text.chars();
            let lowered = letters.next().map(|first| first.to_lowercase().chain(letters).collect());
            (lowered.unwrap_or(text), None, None)
        }
    }
}

fn one_of(names: &[&str]) -> String {
    match names {
        [] => "expected none".to_owned(),
        [only] => format!("expected `{only}`"),
        names => format!("expected one of `{}`", names.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_with_their_path_and_line() {
        let text = "(\n  name: \"a: (b\", // c: d\n  /* e: */ list: [(x: 1), (x: 2, y: T(z: 3))],\n  last: 4,\n)";
        let found: Vec<(String, usize)> = fields(text).into_iter().map(|field| (field.path, field.line)).collect();
        let expected = [
            ("name", 2),
            ("list", 3),
            ("list[0].x", 3),
            ("list[1].x", 3),
            ("list[1].y", 3),
            ("list[1].y.z", 3),
            ("last", 4),
        ];
        assert_eq!(found, expected.map(|(path, line)| (path.to_owned(), line)));
    }

    #[test]
    fn broken_texts_do_not_trip_the_scanner() {
        for text in ["", "(", ")))", "\"open", "/* open", "(a: [", "\\", "a:", "(a: \"\\"] {
            fields(text);
        }
    }
}
