// The JSON API of this page's own server. Nothing throws: a failure is {error: "..."}.

async function answerOf(request) {
  try {
    const response = await request;
    const body = await response.json();
    if (!response.ok && !body.error) body.error = body.text || `HTTP ${response.status}`;
    return body;
  } catch {
    return { error: "The simulator does not answer." };
  }
}

export function get(path, params = {}) {
  return answerOf(fetch(`${path}?${new URLSearchParams(params)}`, { cache: "no-store" }));
}

export function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return answerOf(fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}
