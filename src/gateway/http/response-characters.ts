/** Bytes of a `token` (RFC 9110, 5.6.2), the letters of names: 1 for those, 0 for others. */
export const TOKEN = new Uint8Array(256);

/** Bytes of a header's value (RFC 9110, 5.5): printable ones, tab, and what is above ASCII. */
export const VALUE = new Uint8Array(256);

/** Worth of a hexadecimal digit; 255 for what is none. */
export const HEX = new Uint8Array(256).fill(255);

for (const letter of "!#$%&'*+-.^_`|~0123456789") TOKEN[letter.charCodeAt(0)] = 1;
for (let i = 0; i < 26; i++) TOKEN[65 + i] = TOKEN[97 + i] = 1;
for (let i = 32; i < 256; i++) VALUE[i] = i === 127 ? 0 : 1;
VALUE[9] = 1;
for (let i = 0; i < 10; i++) HEX[48 + i] = i;
for (let i = 0; i < 6; i++) HEX[65 + i] = HEX[97 + i] = 10 + i;

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;
export const SEMICOLON = 59;
export const EQUALS = 61;
