// Where the token of a key is. In: the key. Out: name of a Secret and a key in it.

/** Without `secretRef` the Secret is the one that the operator makes. */
export function secretRefOf(key: {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly secretRef?: { readonly name: string; readonly key: string } };
}): { readonly name: string; readonly key: string } {
  return key.spec.secretRef ?? { name: `${key.metadata.name}-key`, key: "token" };
}
