// The npm library http-message-signatures (RFC 9421), asked by a line of JSON on standard input.
import { createPrivateKey, createPublicKey } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

// From the folder that npm installed into, which is where this is run.
const require = createRequire(`${process.cwd()}/package.json`);
const { createSigner, createVerifier, httpbis } = require("http-message-signatures");
const asked = JSON.parse(readFileSync(0, "utf8"));

function sign({ message, pem, keyid, name, fields, nonce, expires }) {
  const signer = createSigner(createPrivateKey(pem), "ed25519", keyid);
  const params = ["created", "expires", "nonce", "keyid", "alg"];
  const created = new Date();
  const until = new Date(created.getTime() + expires * 1000);
  const paramValues = { created, expires: until, nonce };
  return httpbis.signMessage({ key: signer, name, fields, params, paramValues }, message);
}

function verify({ message, keys, required }) {
  // One signature at a time: of several the library gives the verdict on the last alone.
  return Promise.all(
    Object.entries(keys).map(async ([keyid, jwk]) => {
      const key = createVerifier(createPublicKey({ key: jwk, format: "jwk" }), "ed25519");
      const keyLookup = async (said) =>
        said.keyid === keyid ? { id: keyid, algs: ["ed25519"], verify: key } : null;
      const wanted = { keyLookup, requiredFields: required[keyid] ?? [] };
      try {
        return [keyid, await httpbis.verifyMessage(wanted, message)];
      } catch (error) {
        return [keyid, String(error)];
      }
    }),
  ).then(Object.fromEntries);
}

const done = asked.deed === "sign" ? await sign(asked) : await verify(asked);
console.log(JSON.stringify(done));
