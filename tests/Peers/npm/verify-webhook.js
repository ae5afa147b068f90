// Reads {"requests": [{"secret", "headers", "body": base64}]} and prints, for each, what the standardwebhooks package says.
const { Webhook } = require('standardwebhooks');

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { requests } = JSON.parse(Buffer.concat(chunks));
  console.log(JSON.stringify(requests.map(({ secret, headers, body }) => {
    try {
      new Webhook(secret).verify(Buffer.from(body, 'base64'), headers);
      return 'verified';
    } catch (fault) {
      return fault.message;
    }
  })));
}

main();
