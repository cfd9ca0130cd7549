// SPDX-License-Identifier: Apache-2.0

/** A message signed by {@link SIGNER_KEY}, made with GnuPG and a key that exists nowhere else any more. */
export const SIGNED_MESSAGE = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Suite: test
Codename: bookworm
-----BEGIN PGP SIGNATURE-----

iHUEARYIAB0WIQRNIpBxYvN1MVJs2IELyUqouOIj6QUCawKqPQAKCRALyUqouOIj
6RBUAQCD++zKqWcNeUNOxz4glX9LqAUmkjahryVDsmiervAOOQEAgkujuEUkP/nu
V/JIV6SCU3KjFsEmax+K/07L7gH8jAc=
=hGJG
-----END PGP SIGNATURE-----
`;

export const SIGNER_KEY = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawKqPRYJKwYBBAHaRw8BAQdA5m2CvCW2E7WKxxGGo/1RCkyNeOKZrO6usR1p
iE0zu4W0H0lzb2xhIHRlc3QgPHRlc3RAaXNvbGEuaW52YWxpZD6IkAQTFggAOBYh
BE0ikHFi83UxUmzYgQvJSqi44iPpBQJrAqo9AhsDBQsJCAcCBhUKCQgLAgQWAgMB
Ah4BAheAAAoJEAvJSqi44iPp8sgBAKRY4AXND6GWuuqxo8E33NyBFtyckmTmD+2t
l8KS7V/2AQCMoJIE9vXC4G8Zsfd1MiEHdja/JkQUWsTYk6b7F5qpBQ==
=ngb/
-----END PGP PUBLIC KEY BLOCK-----
`;

/** A key that signed nothing. */
export const OTHER_KEY = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawKqPRYJKwYBBAHaRw8BAQdAfprY+97v7oTkasnRInEZyQ7dxvJ0hjqvj2+v
wk3kvrO0F090aGVyIDxvQGlzb2xhLmludmFsaWQ+iJAEExYIADgWIQSBNJSPLsQT
D4FNFwdv+iEE9kC9DgUCawKqPQIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRBv+iEE9kC9DtLHAPwNHgLMLPndThGr91PMGlhl8028w3uYyXLl6D0QdmByLQD/
STPXAIjvn+p2t0jsie0+B+Ct0O33spbU3raJPdxfBQU=
=2mjg
-----END PGP PUBLIC KEY BLOCK-----
`;
