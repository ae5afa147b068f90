// Reads {"message": base64, "records": {"s1._domainkey.acme.example": "v=DKIM1; …"}} and prints what mailauth says of each signature.
const { dkimVerify } = require('mailauth/lib/dkim/verify');

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { message, records } = JSON.parse(Buffer.concat(chunks));
  const resolver = async (name, type) => {
    if (type === 'TXT' && records[name]) return [[records[name]]];
    throw Object.assign(new Error(`no ${type} for ${name}`), { code: 'ENOTFOUND' });
  };
  const { results } = await dkimVerify(Buffer.from(message, 'base64'), { resolver });
  console.log(JSON.stringify(results.map(({ signingDomain, selector, algo, status }) => ({
    domain: signingDomain, selector, algorithm: algo, result: status.result, comment: status.comment, aligned: status.aligned,
  }))));
}

main();
