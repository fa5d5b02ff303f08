//! Day and month of dates like `07/08/2014`: which is first.

use std::path::Path;

use super::super::field::Field;
use super::evidence::Value;
use crate::calendar::{DayAndMonth, Order};
use crate::data::formats::assumption::Assumption;
use crate::data::formats::reading::TimesAs;
use crate::error::InputError;

/// What tells whether dates like `07/08/2014` have the day or the month first.
#[derive(Debug, Default)]
pub struct Orders {
    pub order: Option<Order>,
    /// Interactions that were read with the month first, and how much later they are with the day first.
    waiting: Vec<(usize, i64)>,
    /// Whether a date so far is before the one above it, with the day first and with the month first; and the last of them.
    descends: [bool; 2],
    last: Option<[i64; 2]>,
    /// The first of them.
    example: String,
    /// Whether dots stand between the numbers, which nobody does with the month first.
    dots: bool,
    /// Whether there are such dates.
    pub any: bool,
    /// Whether the dates' own order told.
    by_order: bool,
}

impl Orders {
    /// Learns from the first values of a column.
    pub fn of(named: Option<TimesAs>, first: &[Value]) -> Self {
        let order = match named {
            Some(TimesAs::DayFirst) => Some(Order::DayFirst),
            Some(TimesAs::MonthFirst) => Some(Order::MonthFirst),
            _ => {
                let only = |order: Order, other: Order| {
                    let tells = |value: &&Value| matches!(value, Value::Numbers(numbers) if numbers.in_order(order).is_some() && numbers.in_order(other).is_none());
                    first.iter().filter(tells).count()
                };
                let day = only(Order::DayFirst, Order::MonthFirst);
                let month = only(Order::MonthFirst, Order::DayFirst);
                match day.cmp(&month) {
                    std::cmp::Ordering::Greater => Some(Order::DayFirst),
                    std::cmp::Ordering::Less => Some(Order::MonthFirst),
                    std::cmp::Ordering::Equal => None,
                }
            }
        };
        Self { order, ..Self::default() }
    }

    /// Learns from a date, which will be the time of an interaction of this number.
    pub fn meet(&mut self, numbers: DayAndMonth, row: usize, field: &Field<'_>) {
        if !self.any || self.order.is_none() && self.waiting.is_empty() {
            (self.any, self.dots, self.example) = (true, numbers.separator == b'.', field.short());
        }
        if self.order.is_some() {
            return;
        }
        match [Order::DayFirst, Order::MonthFirst].map(|order| numbers.in_order(order)) {
            [Some(day), Some(month)] => {
                if day != month {
                    self.waiting.push((row, day - month));
                }
                let now = [day, month];
                if let Some(last) = self.last {
                    for place in 0..2 {
                        self.descends[place] |= now[place] < last[place];
                    }
                }
                self.last = Some(now);
            }
            [Some(_), None] => self.order = Some(Order::DayFirst),
            [None, Some(_)] => self.order = Some(Order::MonthFirst),
            [None, None] => {}
        }
    }

    /// Puts right what was read with the month first where that turned out wrong.
    ///
    /// # Errors
    /// Nothing tells.
    pub fn finish(&mut self, times: &mut [i64], path: &Path) -> Result<(), InputError> {
        if self.order.is_none() && !self.waiting.is_empty() {
            self.order = match self.descends {
                _ if self.dots => Some(Order::DayFirst),
                [false, true] => Some(Order::DayFirst),
                [true, false] => Some(Order::MonthFirst),
                _ => return Err(self.unclear(path)),
            };
            self.by_order = !self.dots;
        }
        if self.order == Some(Order::DayFirst) {
            for (row, later) in self.waiting.drain(..) {
                if let Some(time) = times.get_mut(row) {
                    *time += later;
                }
            }
        }
        Ok(())
    }

    /// Forgets the date of an interaction that was rejected after all.
    pub fn take_back(&mut self, row: usize) {
        self.waiting.pop_if(|(waiting, _)| *waiting == row);
    }

    fn unclear(&self, path: &Path) -> InputError {
        let problem =
            format!("the times may have the day or the month first, like `{}`, and none of them tells", self.example);
        let [day, month] = [TimesAs::DayFirst, TimesAs::MonthFirst].map(TimesAs::line);
        InputError::new(path, problem).advice(format!("write {day} or {month} into `dataset: …(path: …)`"))
    }

    /// What was taken for granted.
    pub fn assumption(&self, period: &str) -> Assumption {
        if !self.any {
            return Assumption::fact(format!("Times are dates, in UTC where they name no zone: {period}"));
        }
        let (first, other) = match self.order {
            Some(Order::DayFirst) => ("day", TimesAs::MonthFirst),
            _ => ("month", TimesAs::DayFirst),
        };
        let why = if self.by_order { ", in which they ascend" } else { "" };
        Assumption::new(
            format!("Times are dates with the {first} first, like {}{why}: {period}", self.example),
            format!("write {}", other.line()),
        )
    }
}
