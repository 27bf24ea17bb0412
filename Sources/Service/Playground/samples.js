// SPDX-License-Identifier: Apache-2.0
// Texts with specs to begin with.

export const samples = [
  {
    name: "Contact",
    text: `Hi all,

I'd like you to meet Ines Okafor, who joined Northwind Robotics as sales manager for the Hamburg office this week. You can reach her at ines.okafor@northwind.example or on +49 40 555 0182.

Best, Jonas`,
    spec: `name: contact
instruction: Extract the contact details of the person in the text. Leave out what the text does not say.
fields:
  name: string 1..80 -- the full name as written
  role: one of [engineer, manager, sales, support, other] ?
  company: string (max 80) ? -- where the person works
  email: email ?
  phone: string /^[+]?[0-9 ()\\/.-]{5,20}$/ ? -- as written
  city: string (max 60) ?
`,
  },
  {
    name: "Support ticket",
    text: `Since this morning nobody in our team can sign in to Notely. It just says "session expired" over and over. We have a client demo at two, so please hurry!! Our order is NT-88213.`,
    spec: `name: support-ticket
instruction: Sort the customer's message and summarise it in one sentence.
fields:
  summary: string 5..120 -- one sentence about the problem
  category: one of [billing, login, bug, feature request, delivery, other]
  priority: one of [low, normal, high, urgent] -- urgent means that the customer cannot work
  product: string (max 60) ? -- the product or app that is named
  order_number: string /^[A-Z0-9-]{3,20}$/ ? -- the order number as written
  wants_refund: boolean -- whether the customer asks for money back
`,
  },
  {
    name: "Invoice with positions",
    text: `Harbor Paper Ltd.
Invoice HP-2077, 14 June 2025

3 x Notebook A5, dotted, at 4.20 EUR
1 x Desk lamp "Nord" at 39.00 EUR
10 x Pencil HB at 0.80 EUR

Total: 59.60 EUR`,
    spec: `name: invoice
instruction: Copy the invoice number, the date, the seller, the positions and the total from the text.
fields:
  number: string 1..30 -- the invoice number as written
  date: date
  seller: string 1..80 -- who sends the invoice
  currency: one of [EUR, USD, GBP, CHF]
  lines:
    description: one entry for each position
    list of:
      item: string 1..80 -- what is sold
      quantity: integer 1..10000
      price: number 0..1000000 -- the price of one piece
    min: 1
    max: 10
  total: number >= 0
`,
  },
  {
    name: "Calendar event",
    text: `Can we do the budget talk on 9 October 2025 from half past one to three? Lena and Marek should come too. I booked the Fjord room.`,
    spec: `name: calendar-event
instruction: Turn the message into a calendar event.
fields:
  title: string 1..80 -- a short title
  date: date
  start: string /^([01][0-9]|2[0-3]):[0-5][0-9]$/ -- HH:MM in 24 hours
  end: string /^([01][0-9]|2[0-3]):[0-5][0-9]$/ ?
  place: string (max 80) ? -- the room, address or link
  attendees: list of string 1..60 (max 8) ?
`,
  },
  {
    name: "Log line (JSON Schema)",
    text: `2025-06-14T08:41:07Z ERROR [payments] charge 7f3a failed for user 4412 after 3 tries: card declined (code 51), 812 ms`,
    spec: `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "log-line",
  "type": "object",
  "properties": {
    "time": { "type": "string", "format": "date-time" },
    "level": { "enum": ["DEBUG", "INFO", "WARN", "ERROR"] },
    "component": { "type": "string", "minLength": 1, "maxLength": 40 },
    "message": { "type": "string", "maxLength": 120 },
    "user": { "type": ["integer", "null"] },
    "tries": { "type": "integer", "minimum": 0, "maximum": 99 },
    "milliseconds": { "type": "integer", "minimum": 0, "maximum": 600000 }
  },
  "required": ["time", "level", "component", "message", "user"],
  "additionalProperties": false
}
`,
  },
  {
    name: "Quotes, word for word",
    text: `"We never planned for a winter like this," said the harbour master, Olga Lind. Her deputy was blunter. "The ice broke two of our cranes," he told the council, "and nobody ordered spare parts."`,
    spec: `name: quotes
instruction: Copy what people say in the text, word for word.
list of:
  speaker: string 1..60 -- who says it
  quote: string 5..160 (verbatim) -- the words, which must stand in the text
min: 1
max: 3
`,
  },
  { name: "Empty", text: "", spec: `fields:\n  name: string\n` },
];
