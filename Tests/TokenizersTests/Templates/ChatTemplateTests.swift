// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing
import Tokenizers

struct ChatTemplateTests {
    static let context: JSONValue = [
        "name": "Ada", "n": 7, "xs": [3, 1, 2], "d": ["k": "v", "items": 1], "none": nil, "text": "a\nb",
        "people": [["name": "Bo", "age": 30], ["name": "Cy", "age": 25]],
    ]

    @Test(arguments: [
        // White space
        ("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc"),
        ("  {%- if true -%}  a  {%- endif -%}  b", "ab"),
        ("a \r\n{# c #}\r\nb", "a \nb"),
        ("x{{- ' y ' -}} z", "x y z"),
        // Scopes
        ("{% set a = 1 %}{% for i in xs %}{% set a = i %}{% endfor %}{{ a }}", "1"),
        ("{% set a = 1 %}{% if true %}{% set a = 2 %}{% endif %}{{ a }}", "2"),
        ("{% set ns = namespace(a=1) %}{% for i in xs %}{% set ns.a = i %}{% endfor %}{{ ns.a }}", "2"),
        ("{% macro f(a, b=a) %}{{ a }}{{ b }}{{ n }}{% endmacro %}{{ f(1) }}|{{ f(1, b=2) }}", "117|127"),
        ("{% macro f() %}<{{ caller('x') }}>{% endmacro %}{% call(y) f() %}{{ y }}{{ n }}{% endcall %}", "<x7>"),
        ("{% with a = n %}{{ a }}{% endwith %}{{ a }}", "7"),
        // Values
        ("{{ missing }}|{{ missing is defined }}|{{ missing|default('d') }}|{{ 'x' in missing }}", "|False|d|False"),
        ("{{ d.k }}{{ d['items'] }}{{ d.items()|list|length }}{{ d.zz is undefined }}", "v12True"),
        ("{{ [1, 2.0, none, 'a\\'b', {'k': (1,)}] }}", "[1, 2.0, None, \"a'b\", {'k': (1,)}]"),
        ("{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** -1 }} {{ 1e16 }} {{ 0.00001 }}", "-4 2 3.5 0.5 1e+16 1e-05"),
        ("{{ 'é日😀'|length }} {{ 'é日😀'[::-1] }} {{ 'e\u{301}' == 'é' }}", "3 😀日é False"),
        ("{{ {'e\u{301}': 1, 'é': 2}['é'] }}", "2"),
        (
            "{{ xs|sort|join('-') }} {{ people|map(attribute='name')|join }} {{ people|selectattr('age', 'gt', 26)|list|length }}",
            "1-2-3 BoCy 1"
        ),
        ("{{ d|tojson }} {{ xs|tojson(indent=2) }}", "{\"k\": \"v\", \"items\": 1} [\n  3,\n  1,\n  2\n]"),
        ("{{ 1 if none }}|{{ 'a' ~ 1 ~ none }}|{{ not none and 1 < 2 < 3 }}", "|a1None|True"),
        (
            "{% for k, v in d|items %}{{ loop.index }}{{ k }}{% else %}-{% endfor %}{% for i in [] %}{% else %}-{% endfor %}",
            "1k2items-"
        ),
        ("{% for i in xs %}{% if loop.first %}{% continue %}{% endif %}{{ i }}{% break %}{% endfor %}", "1"),
        ("{{ 'a,b'.split(',')[-1] }} {{ ' x '.strip() }} {{ 'abc'.startswith(('x', 'a')) }}", "b x True"),
        ("{{ strftime_now('%A %d %B %Y, %-I:%M %p') }}", "Sunday 09 March 2025, 2:05 PM"),
        (
            "{{ '{:>5}|{:.2f}|{}'.format('a', 1.005, xs) }} {{ '%05.1f|%s' % (2.25, none) }}",
            "    a|1.00|[3, 1, 2] 002.2|None"
        ),
    ])
    func rendersLikeTheReference(_ template: String, _ expected: String) throws {
        let clock = TemplateDate(year: 2025, month: 3, day: 9, hour: 14, minute: 5, second: 7)
        #expect(try ChatTemplate(template).render(Self.context, now: { clock }) == expected)
    }

    @Test(
        arguments: [
            ("{{ 1", .syntax, 1), ("a\n{% if x %}", .syntax, 2), ("{% endif %}", .syntax, 1), ("{{ 'x }}", .syntax, 1),
            ("{% for x in y %}\n{% endif %}", .syntax, 2), ("{% break %}", .syntax, 1), ("{{ ) }}", .syntax, 1),
            ("{# x", .syntax, 1), ("{% raw %}", .syntax, 1), ("{{ a b }}", .syntax, 1),
            ("{% set true = 1 %}", .syntax, 1),
            ("{% include 'x' %}", .unsupported, 1), ("{% for x in y recursive %}{% endfor %}", .unsupported, 1),
            ("\n\n{{ x|nope }}", .unsupported, 3), ("{{ x is nope }}", .unsupported, 1),
            ("{{ f(*x) }}", .unsupported, 1),
            ("\n{{ missing.a }}", .evaluation, 2), ("{{ 'a' + 1 }}", .evaluation, 1), ("{{ 1 // 0 }}", .evaluation, 1),
            ("{{ n() }}", .evaluation, 1), ("{{ 1 < 'a' }}", .evaluation, 1),
            ("{% for a, b in [[1]] %}{% endfor %}", .evaluation, 1),
            ("{% if true %}\n{{ raise_exception('no ' ~ n) }}{% endif %}", .raised, 2),
            ("{{ 9223372036854775807 + 1 }}", .limit, 1), ("{{ -(-9223372036854775807 - 1) }}", .limit, 1),
        ] as [(String, TemplateError.Code, Int)])
    func errorsHaveCodeAndLine(_ template: String, _ code: TemplateError.Code, _ line: Int) throws {
        let error = #expect(throws: TemplateError.self) { try ChatTemplate(template).render(Self.context) }
        #expect(error?.code == code && error?.line == line, "\(error?.description ?? "")")
        if code == .raised { #expect(error?.message == "no 7") }
    }

    @Test(arguments: [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 10000000000 }}", "{{ [0] * 10000000000 }}", "{{ range(100001)|list }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ 'x'.center(100000000000) }}",
        "{{ '%99999999999d' % 1 }}",
        "{% set ns = namespace(a=[]) %}{% for i in range(99999) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }}",
        "{% set ns = namespace(a='x') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a }}",
        "{% set ns = namespace(a=[1]) %}{% for i in range(99) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a == [ns.a, 1] }}{{ ns.a|tojson }}",
        "{% set ns = namespace(a=1) %}{% for i in range(99999) %}{% set ns.a = namespace(b=ns.a) %}{% endfor %}",
        "{{ 'aaaa'.replace('', 'x' * 30000000) }}", "{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
        "{{ 2 ** 100 }}", "{{ 'x'|indent(99999999999) }}",
    ])
    func worksWithinLimits(_ template: String) throws {
        let error = #expect(throws: TemplateError.self) { try ChatTemplate(template).render([:]) }
        #expect(error?.code == .limit, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        String(repeating: "(", count: 100_000), String(repeating: "[", count: 100_000),
        String(repeating: "not ", count: 100_000),
        String(repeating: "-", count: 100_000), String(repeating: "a if b else ", count: 100_000),
    ])
    func deepSourcesAreRefused(_ expression: String) {
        let error = #expect(throws: TemplateError.self) { try ChatTemplate("{{ \(expression) }}") }
        #expect(error?.code == .limit || error?.code == .syntax)
        let blocks = String(repeating: "{% if x %}", count: 50_000)
        #expect(throws: TemplateError.self) { try ChatTemplate(blocks) }
    }

    @Test func longFlatExpressionsAreFine() throws {
        let sum = Array(repeating: "1", count: 20_000).joined(separator: " + ")
        #expect(try ChatTemplate("{{ \(sum) }}").render([:]) == "20000")
        let filters = String(repeating: "|string", count: 20_000)
        #expect(try ChatTemplate("{{ 1\(filters) }}").render([:]) == "1")
    }

    @Test func rendersAConversation() throws {
        let template = try ChatTemplate(
            "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] }}{{ eos_token }}{% endfor %}"
                + "{% if add_generation_prompt %}[assistant]{% endif %}{{ extra }}"
        )
        let messages = [ChatMessage(role: "system", content: "{{ x }}"), ChatMessage(role: "user", content: "Hi")]
        let text = try template.render(
            messages: messages, beginToken: "<s>", endToken: "</s>", variables: [("extra", 5)])
        #expect(text == "<s>[system]{{ x }}</s>[user]Hi</s>[assistant]5")
        #expect(try template.render(messages: [], addGenerationPrompt: false).isEmpty)
    }

    @Test func templatesCannotChangeTheirInput() throws {
        for name in ["append", "pop", "clear", "update", "__class__", "__init__"] {
            #expect(throws: TemplateError.self) {
                try ChatTemplate("{{ xs.\(name)(1) }}{{ d.\(name)(1) }}").render(Self.context)
            }
        }
    }
}
