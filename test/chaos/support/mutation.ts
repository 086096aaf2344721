/** A document with some bytes, words or values changed; what is left is seldom a document. */
export function mutated(text: string, random: () => number): Buffer {
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
  const bytes = Buffer.from(text);
  const at = () => Math.floor(random() * bytes.length);
  switch (Math.floor(random() * 10)) {
    case 0: {
      for (let change = 0; change < 1 + random() * 4; change++) bytes[at()] = Math.floor(random() * 256);
      return bytes;
    }
    case 1:
      return bytes.subarray(0, at());
    case 2: {
      const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    }
    case 3:
      return Buffer.from(
        text.replace(/:("[^"]*"|\d+|true|false)/g, (whole) =>
          random() < 0.2
            ? `:${pick(['null', '-1', '1e999', '""', '[]', '{}', '"\\u0000"', '9007199254740993', 'NaN', '{"__proto__":{"x":1}}'])}`
            : whole,
        ),
      );
    case 4:
      return Buffer.from(
        text.replace(/"([a-z_]+)":/g, (whole) =>
          random() < 0.15 ? `"${pick(['__proto__', 'constructor', 'toString', 'x'])}":` : whole,
        ),
      );
    case 5:
      return Buffer.from('['.repeat(100_000));
    case 6:
      return Buffer.from(text.replace('"playlists":[', `"playlists":[${'{},'.repeat(2_000)}`));
    case 7: {
      const numbers = [...text.matchAll(/(?<=:)\d+/g)];
      const { index = 0, 0: number = '' } = pick(numbers);
      return Buffer.from(`${text.slice(0, index)}${Math.floor(random() * 100)}${text.slice(index + number.length)}`);
    }
    case 8:
      return Buffer.concat([Buffer.from([0xff, 0xfe, 0xc0]), bytes]);
    default:
      return Buffer.from(
        text.replace(/[{[,]/g, (sign) => (random() < 0.1 ? pick([',,', '}', ']', '"', sign + sign]) : sign)),
      );
  }
}
