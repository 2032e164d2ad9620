import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { executeTemplate } from '../../src/cli/format/template/execute.ts';
import { parseTemplate } from '../../src/cli/format/template/parse.ts';

const VALUE = {
  Id: 'abc',
  Name: 'web',
  Count: 3,
  Running: true,
  Dead: false,
  Empty: '',
  Nothing: null,
  List: ['a', 'b'],
  Labels: { b: '2', a: '1' },
  State: { Status: 'running', Pid: 42 },
  Ports: { '80/tcp': [{ HostIp: '', HostPort: '8000' }], '90/udp': [] },
  Label: (key: unknown) => `<${String(key)}>`,
};

const run = (template: string, value: unknown = VALUE): string =>
  executeTemplate(parseTemplate(template), value);

describe('templates', () => {
  it.each([
    ['plain text', 'plain text'],
    ['{{.Name}}', 'web'],
    ['{{ .State.Status }}-{{.State.Pid}}', 'running-42'],
    ['{{.}}', 'map['],
    ['{{.List}}', '[a b]'],
    ['{{.Labels}}', 'map[a:1 b:2]'],
    ['{{.Nothing}}', '<nil>'],
    ['{{.Labels.missing}}', '<no value>'],
    ['{{.Running}} {{.Dead}}', 'true false'],
    ['{{"text"}} {{`raw\\n`}} {{12}} {{true}}', 'text raw\\n 12 true'],
    ['{{"a\\tb\\"c"}}', 'a\tb"c'],
    ['a {{- .Name -}} b', 'awebb'],
    ['{{/* nothing */}}x', 'x'],
    ['{{json .}}', '{"Id":"abc"'],
    ['{{json .List}}', '["a","b"]'],
    ['{{.State | json}}', '{"Status":"running","Pid":42}'],
    ['{{json .Labels.missing}}', 'null'],
    ['{{upper .Name}} {{.Name | upper | lower}} {{title "a web"}}', 'WEB web A Web'],
    ['{{join .List ", "}}', 'a, b'],
    ['{{index .List 1}} {{index .Labels "a"}} {{index .Ports "80/tcp" 0}}', 'b 1 map[HostIp: HostPort:8000]'],
    ['{{(index (index .Ports "80/tcp") 0).HostPort}}', '8000'],
    ['{{len .List}} {{len .Name}} {{len .Labels}}', '2 3 2'],
    ['{{split "a,b" ","}}', '[a b]'],
    [
      '{{printf "%s|%-5s|%5s|%03d|%q|%v|%%|%.1f" .Name .Name .Name .Count .Name .List .Count}}',
      'web|web  |  web|003|"web"|[a b]|%|3.0',
    ],
    ['{{if .Running}}yes{{end}}', 'yes'],
    ['{{if .Empty}}yes{{else}}no{{end}}', 'no'],
    ['{{if .Dead}}1{{else if .Running}}2{{else}}3{{end}}', '2'],
    ['{{if and .Running (not .Dead)}}both{{end}}', 'both'],
    ['{{if or .Dead .Empty}}1{{else}}2{{end}}', '2'],
    [
      '{{if eq .State.Status "running" "paused"}}up{{end}}{{if ne .Count 3}}x{{end}}{{if gt .Count 2}}!{{end}}',
      'up!',
    ],
    ['{{with .State}}{{.Status}}{{end}}', 'running'],
    ['{{with .Empty}}x{{else}}none of {{.Name}}{{end}}', 'none of web'],
    ['{{range .List}}<{{.}}>{{end}}', '<a><b>'],
    ['{{range $i, $v := .List}}{{$i}}={{$v}} {{end}}', '0=a 1=b '],
    ['{{range $v := .List}}{{$v}}{{$.Name}}{{end}}', 'awebbweb'],
    ['{{range $k, $v := .Labels}}{{$k}}:{{$v}};{{end}}', 'a:1;b:2;'],
    ['{{range .Nothing}}x{{else}}none{{end}}', 'none'],
    ['{{range $p, $c := .Ports}}{{$p}}{{range $c}}->{{.HostPort}}{{end}} {{end}}', '80/tcp->8000 90/udp '],
    ['{{$x := .Name}}{{$x}}{{$x | len}}', 'web3'],
    ['{{.Label "key"}}', '<key>'],
    ['{{"key" | .Label}}', '<key>'],
    ['{{println "a" 1}}{{print "b" "c"}}', 'a 1\nbc'],
    ['{{"}}"}}', '}}'],
  ])('%s', (template, text) => {
    const result = run(template);
    expect(template === '{{.}}' || template === '{{json .}}' ? result.slice(0, text.length) : result).toBe(
      text,
    );
  });

  it.each([
    ['{{.Name', /\{\{ without \}\}/],
    ['{{}}', /a value is missing/],
    ['{{if .Name}}x', /\{\{end\}\} is missing/],
    ['{{if .Name}}x{{else}}y', /\{\{end\}\} is missing/],
    ['{{end}}', /no block/],
    ['{{.Name | bogus}}', /"bogus" is not supported; there are and, or/],
    ['{{template "x"}}', /"template" is not supported/],
    ['{{range .List}}{{break}}{{end}}', /"break" is not supported/],
    ['{{(.Name}}', /parenthesis is not closed/],
    ['{{.Name)}}', /goes on/],
    ['{{.Name + 1}}', /is not supported/],
    ['{{$x = 1}}', /goes on|has no value/],
    ["{{'c'}}", /is not supported/],
    ['{{"\\x41"}}', /escape/],
    ['{{.Bogus}}', /there is no \.Bogus; there are Id, Name/],
    ['{{.name}}', /there is no \.name; there are Id, Name/], // it was <no value>
    ['{{.State.Bogus}}', /there is no \.State\.Bogus; there are Status, Pid/],
    ['{{.Name.First}}', /there is no \.First: it stands on web|\.Name\.First/],
    ['{{$y}}', /\$y has no value/],
    ['{{index .List 5}}', /out of range/],
    ['{{printf "%s"}}', /no value for %s/],
    ['{{printf "%z" 1}}', /%z is not supported/],
    ['{{.Name "x"}}', /takes no arguments/],
    ['{{range .Name}}{{end}}', /neither a list nor a map/],
  ])('refuse %s by name', (template, message) => {
    expect(() => run(template)).toThrow(
      expect.objectContaining({ code: 'ERR_TSRUN_USAGE', message: expect.stringMatching(message) }),
    );
  });

  it('never fail with anything but ERR_TSRUN_USAGE', () => {
    const part = fc.constantFrom(
      '{{',
      '}}',
      '.',
      'Name',
      ' ',
      '$',
      'x',
      ':=',
      '|',
      '(',
      ')',
      'range',
      'if',
      'else',
      'end',
      'index',
      '"',
      '1',
      '-',
      'json',
      ',',
      'printf',
      '%s',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
        try {
          run(parts.join(''));
        } catch (error) {
          expect((error as { code?: string }).code).toBe('ERR_TSRUN_USAGE');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('print text without actions as it is', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('{{')),
        (text) => {
          expect(run(text)).toBe(text);
        },
      ),
    );
  });
});
