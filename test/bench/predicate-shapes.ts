/** Predicates of a length, of the shapes that the language has. */
const dayMs = 86_400_000;
const fromMs = 1_790_000_000_000;

/** Clauses of a seed and those that follow it, as many as fit. */
function filled(characters: number, word: string, clause: (number: number) => string): (seed: number) => string {
  return (seed) => {
    let text = clause(seed);
    for (let number = seed + 7; ; number += 7) {
      const longer = text + word + clause(number);
      if (longer.length > characters) return text;
      text = longer;
    }
  };
}

const minuteMs = (number: number) => (number % 1_439) * 60_000;
const times = (number: number) => `$TIME BETWEEN {${minuteMs(number)}, ${minuteMs(number) + 20_000}}`;

/** @returns by name, each a predicate for a seed */
export function predicateShapes(characters: number): Readonly<Record<string, (seed: number) => string>> {
  const or = (clause: (number: number) => string) => filled(characters, ' OR ', clause);
  return {
    times: or(times),
    dates: or((number) => `($DATE BETWEEN {${fromMs + number * dayMs}, ${fromMs + number * dayMs + 9 * 3_600_000}})`),
    'seconds of dates': or(
      (number) =>
        `($DATE BETWEEN {${fromMs + number * 1_000}, ${fromMs + number * 1_000 + 500}} AND $WEEKDAY = ${number % 7})`,
    ),
    'never again': or((number) => `($DATE < ${1_600_000_000_000 + number} AND $TIME >= ${minuteMs(number)})`),
    negations: filled(characters, ' AND ', (number) => `NOT ($WEEKDAY = ${number % 7} AND ${times(number)})`),
    lists: or((number) => `$TIME IN {${Array.from({ length: 200 }, (_, at) => minuteMs(number + 3 * at)).join(',')}}`),
  };
}
