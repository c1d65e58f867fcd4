"""JSON that cannot be read, and arrays of the wrong shape or with wrong numbers."""

import wire

GOOD = '{"x":[3,1,2],"k":1}'
DEEP = 4000


def cases():
    bodies = broken() + literals() + arrays() + stacks() + further()
    found, counts = [], {}
    for kind, path, body in bodies:
        counts[kind] = counts.get(kind, 0) + 1
        name = f"json/{kind}/{counts[kind]}"
        headers = [("Content-Type", wire.JSON)]
        found.append(wire.Case(name, path, headers, body))
    return found


def broken():
    texts = [GOOD[:count] for count in range(0, len(GOOD))]
    texts += [
        "hello", "[1, 2]", "null", '"x"', "3", "   \t\r\n  ", f"[{GOOD}]", GOOD + "x", GOOD + GOOD,
        GOOD + "}", GOOD + " 2", GOOD + "\n\n", " " + GOOD, '{"x":[3,1,2],"k":1,}',
        '{"x":[3,1,2,],"k":1}', "{'x':[3,1,2],'k':1}", "{x:[3,1,2],k:1}",
        '{"x":[3,1,2],/* */"k":1}', '{"x"::[3,1,2],"k":1}', '{1:[3,1,2],"k":1}',
        '{"x":[3,1,2},"k":1]', '{"x":[3,1,2],"k":1,"largest":True}', '{"x":[3,1,2]"k":1}',
        '{"x":[3,1,2],"k":1x}', '{"x":[3,1,2x],"k":1}', '{"x":[3,1,2],"k":1,"largest":truex}',
        '{"x":[3,1,2],"k":1,"largest":tru}', '{"x":[1],"k":1,"dtype":"float32"y}',
        '{"x":[1],"k":1,"dtype":"float32}', '{"x":[1,,2],"k":1}', '{,"x":[1],"k":1}',
        '{"x":[1],,"k":1}', '{"x":[1] "k":1}', '{"x":[1],"k":}', '{"x":,"k":1}', "{}", "[]",
        '{"x":' + "[" * DEEP, '{"x":' + "[" * DEEP + "]" * DEEP + ',"k":1}',
        '{"y":' + "[" * DEEP + "]" * DEEP + ',"x":[1],"k":1}', '{"x":' * 2000,
        '{"x":[1],"k":1,"y":{"z":[1,{"a":[]}]}}', '{"x":[[[[[1]]]]],"k":1}',
        '{"x":[1],"k":1,"x":[1]}', '{"x":[1],"k":1,"\\u006b":1}', '{"y":1,"y":2}',
        "{" + ",".join(f'"a{i}":1' for i in range(70)) + "}",
        "{" + ",".join(f'"a{i}":1' for i in range(64)) + "}",
        '{"' + "n" * 2000 + '":1}', '{"x":[1],"k":1,"operator":"' + "o" * 2000 + '"}',
        '{"":1,"x":[1],"k":1}', '{"a\\r\\nSet-Cookie: b":1}', '{"X":[1],"k":1}',
        '{"x\\u0000":1,"x":[1],"k":1}', '{"\\ud83d\\ude00é":1,"x":[1],"k":1}',
        '{"x":[1],"k":1,"operator":"\\u006dask"}', '{"\\u0078":[1],"k":1}',
        '{"x":[1],"k":1,"dtype":"ä\\"\\\\/\\b"}',
    ]
    found = [("text", "/topk", text) for text in texts]
    bytes_ = [
        b"\xef\xbb\xbf" + GOOD.encode(), GOOD.encode("utf-16-le"), b'{"\xff":1,"x":[1],"k":1}',
        b'{"\xc0\xaf":1,"x":[1],"k":1}', b'{"\xed\xa0\x80":1,"x":[1],"k":1}',
        b'{"\xe2\x82":1,"x":[1],"k":1}', b'{"\\ud800":1,"x":[1],"k":1}',
        b'{"x":[1],"k":1,"operator":"\\udc00"}', b'{"\\q":1,"x":[1],"k":1}',
        b'{"\\u12":1,"x":[1],"k":1}', b'{"x\n":[1],"k":1}', b'{"x\0":[1],"k":1}',
        b'{"x":[1],\0"k":1}', GOOD.encode() + b"\0",
    ]
    return found + [("bytes", "/topk", data) for data in bytes_]


def literals():
    words = ["NaN", "Infinity", "-Infinity", "inf", "nan", "nul", "nulls", "0x1", "+1", ".5", "1.",
             "1e", "1e+", "--1", "01", "-", "1_0", "1,,2", "1 2", "undefined", "1e999", "-1e999",
             "9" * 400, "1e39", "-1e39", "1e300", "3.4028235e38", "3.4028236e38", "1e-50", "-0",
             "-0.0", "1E2", "1e+2", "0e0", "0.1e-2", "12345678901234567890"]
    found = [("number", "/topk", f'{{"x":[3,{word}],"k":1}}') for word in words]
    found += [("number", "/topk", f'{{"x":[[1,2],[3,{word}]],"k":1,"dtype":"{dtype}"}}')
              for dtype in ["float16", "bfloat16", "float64"]
              for word in ["65519", "65520", "-65520", "3.38e38", "3.4e38", "1e308", "1e309",
                           "1e-8",
                           "0.1", '"NaN"', '"-Infinity"']]
    return found


def arrays():
    wrong = ["1", '"1"', "true", "null", "{}", "[true]", "[null]", '["a"]', "[]", "[[]]", "[[],[]]",
             "[[],[1]]", "[[1],[]]", "[[1,2],[3]]", "[[1],[2,3]]", "[[1,2],[3,4],[5]]", "[[[1]]]",
             "[[[[1]]]]", "[[1],2]", "[1,[2]]", "[1,{}]", "[[1],{}]", "[[1],null]",
             "[[1,2],[1,null]]",
             "[[1,2],[1,[]]]", "[[],[],1,2]", "[[[],2],[3,4]]", '[1,"NaN"]', '[1,"Infinity"]',
             '[1,"+Infinity"]', '[1,"-infinity"]', '[1,"-Infinity"]', '["-Infinity"]',
             '[["-Infinity",1],["-Infinity","-Infinity"]]', '[[1,2],["NaN",2]]', '[1,"1"]',
             '[[1,2],[3,"4"]]', "[1,true]", "[[1,2],[3,false]]", '[""]', "[[1,2],3,[4,5]]",
             "[[1,2],[3,4,5],6]", '[[1,"NaN"],[3]]', '[[1],["NaN"],3]', "[[[1],[2]],[[3]]]"]
    found = [("x", "/topk", f'{{"x":{x},"k":1}}') for x in wrong]
    w = ["1", "null", "[true]", "[]", "[1]", "[1,0,0,0]", "[0,1,0]", "[1,0,-1]", '[1,0,"NaN"]',
         '[1,0,"-Infinity"]', "[1e10,0,0]", "[[1,0,0]]", "[[1,0,0],[1,0,0],[1,0,0]]",
         "[[1,0,0],[0,1,0]]", "[[1,0,0],[1,0]]", "[[1,0,0],1]", "[[[1,0,0]]]", "[1,0,null]",
         "[[1,0,0],[1,0,-1e-9]]", "[1e999,0,0]"]
    found += [("w", "/topk", f'{{"x":[[3,1,2],[1,2,3]],"w":{one}}}') for one in w]
    rest = ['"w":[1,0,0],"k":1', '"w":[1,0,0],"k":5', '"w":[1,0,0],"solver":"threshold"',
            '"w":[1,0,0],"solver":"dykstra","p":2', '"w":[1,0,0],"solver":"dykstra","p":3',
            '"w":[1,0,0],"short_rows":"shrink"', '"w":[1,0,0],"lambda":0',
            '"w":[1,0,0],"format":"padded","width":1', '"k":1,"solver":"dykstra"',
            '"k":1,"solver":"dykstra","p":3', '"k":1,"solver":"dykstra","p":2,"lambda":0',
            '"k":1,"max_iterations":5', '"k":1,"tolerance":0.5', '"k":1,"width":1',
            '"k":1,"format":"padded","width":4', '"k":3,"format":"padded","width":1',
            '"k":1,"format":"dense","width":3', '"k":[1,2],"lambda":[0.1,-1]',
            '"k":[1,4],"lambda":[0.1,1]', '"k":[1,2,3]', '"k":2,"largest":false,"lambda":0']
    found += [("rest", "/topk", f'{{"x":[[3,1,2],[1,2,3]],{one}}}') for one in rest]
    short = ['"k":2', '"k":[1,2]', '"k":2,"short_rows":"shrink"', '"k":2,"operator":"soft_topk"',
             '"k":1.5,"operator":"soft_topk"', '"k":2,"operator":"values"',
             '"k":2,"operator":"magnitude"', '"k":1,"operator":"soft_topk_sorted"',
             '"density":0.5,"operator":"gaussian_k"', '"k_forward":1,"operator":"top_kast"',
             '"w":[1,0,0]', '"k":2,"operator":"magnitude","short_rows":"shrink"']
    return found + [("short", "/topk", f'{{"x":[[3,1,2],[1,"-Infinity","-Infinity"]],{one}}}')
                    for one in short]


def stacks():
    found = []
    for path, name in [("/topk/vjp", "cotangent"), ("/topk/jvp", "tangent")]:
        for x, wrong in [("[1,2]", ["1", "null", "[]", "[1]", "[[1]]", "[[1,2,3]]", "[[1,2],[3]]",
                                    '[1,"NaN"]', '[1,"-Infinity"]', '[[1,1],[1,"NaN"]]',
                                    "[[[1,2]]]", "[1,1e39]", "[1,null]", "[]", "[[],[]]",
                                    "[1,[2]]"]),
                         ("[[1,2],[3,4]]", ["[1,2]", "[[1,2]]", "[[1,2],[3]]", '[[1,2],[3,"NaN"]]',
                                            "[[[1,2],[3,4]],[[1,2]]]", "[[1,2],[3,4],[5,6]]",
                                            '[[[1,2],[3,4]],[[1,2],[3,"NaN"]]]', "[[[[1]]]]",
                                            "[[[1,2],[3,1e39]]]", "[[1,2],3]", '[[1,2],["a",3]]'])]:
            found += [("stack" + name, path, f'{{"x":{x},"k":1,"{name}":{one}}}') for one in wrong]
    for one in ["[1,2]", "[[1,2],[3,4]]", "[[1],[2]]", "[[1],[2],[3]]", '[[1],["NaN"]]',
                "[[[1],[2]],[[3]]]", '[[[1],[2]],[[3],["NaN"]]]', "[[[[1],[2]]]]", "[[1,2]]"]:
        found.append(("sorted", "/topk/vjp", '{"operator":"soft_topk_sorted","x":[1,2],"k":1,'
                      f'"cotangent":{one}}}'))
    for one in ['[[[1,1],[1,1]],[[1,"NaN"],[1,1]]]', "[[[1,1],[1,1]]]", "[[1,1],[1,1]]",
                '[[[[1,1],[1,1]],[[1,1],[1,1]]],[[[1,1],[1,1]],[[1,1],["NaN",1]]]]']:
        found.append(("sorted", "/topk/vjp", '{"operator":"soft_topk_sorted","x":[[1,2],[3,4]],'
                      f'"k":2,"cotangent":{one}}}'))
    return found


def further():
    kast = ['"scope":"layer"', '"k_forward":4', '"k_forward":7,"scope":"global"',
            '"k_forward":2,"k_backward":1', '"k_forward":2,"k_backward":4',
            '"k_backward":1,"density_forward":0.5', '"k_backward":1',
            '"density_forward":0.7,"density_extra":0.4', '"density_extra":0.4',
            '"k_forward":1,"density_extra":0.4', '"k_forward":1,"density_forward":0.4',
            '"forward_mask":[[0],[1]]', '"k_forward":1,"backward_mask":[[0],[1]]',
            '"backward_mask":[[0],[1]]', '"forward_mask":[[0],[1]],"explore":false',
            '"forward_mask":[[],[1]],"backward_mask":[[0],[1]],"density_forward":0.5',
            '"k_forward":1,"explore":false,"k_backward":2',
            '"k_forward":1,"forward_mask":[[0],[1]],"backward_mask":[[0],[1]]']
    masks = ["[[0],[1]]", "[[-1],[1]]", "[[0],[3]]", "[[0.5],[1]]", '[["a"],[1]]', "[[0]]",
             "[[0],[0],[0]]", "[0,1]", "[[0],1]", "[[[0]],[1]]", "3", "null", "{}", "[]", "[[],[]]",
             "[[],[1]]", "[[0,0],[1]]", "[[2],[2]]", "[[1,0],[2]]", "[[0],[null]]", "[[0],[1e999]]",
             "[[0],[true]]"]
    kast += [f'"forward_mask":{one},"backward_mask":[[0,1],[1,2]]' for one in masks]
    kast += [f'"forward_mask":[[0],[1]],"backward_mask":{one}' for one in masks]
    soft = ['"k":3.5', '"k":-0.1', '"k":1,"tau":0', '"k":1,"tau":1,"epsilon":1',
            '"k":1,"cost_scale":1', '"k":1,"epsilon":1,"cost_scale":1,"legacy_batch_scale":true',
            '"k":1,"legacy_batch_scale":true', '"k":1,"legacy_batch_scale":false,"tau":1',
            '"k":1,"tau":1,"epsilon":1,"cost_scale":1', '"k":0', '"k":3', '"k":1,"largest":false',
            '"k":1,"tau":1e300', '"k":1,"epsilon":1e300,"cost_scale":1e300', '"k":1,"tau":1e-300']
    gauss = ['"density":0', '"density":1.01', '"density":0.5,"residual":[1,2]',
             '"density":0.5,"residual":[[1,2,3],[4]]', '"density":0.5,"residual":[[1,2,3]]',
             '"density":0.5,"residual":[[1,2,3],[4,5,"NaN"]]', '"density":0.5,"residual":1',
             '"density":0.5,"residual":[[1,2,3],[4,5,"-Infinity"]]',
             '"density":0.5,"residual":null',
             '"density":0.5,"residual":[[1,2,3],[4,5,1e39]]', '"density":0.5,"residual":[]',
             '"density":0.5,"residual":[[3.4e38,1,1],[1,1,1]]',
             '"density":0.5,"residual":[[[1,2,3],[4,5,6]]]', '"density":0.5,"up":0.5,"down":2']
    found = []
    for name, many in [("top_kast", kast), ("soft_topk", soft), ("gaussian_k", gauss)]:
        big = "3.4e38" if name == "gaussian_k" else "3"
        found += [(name, "/topk", f'{{"operator":"{name}","x":[[{big},1,2],[1,2,3]],{one}}}')
                  for one in many]
    found += [("lone", "/topk", '{"operator":"top_kast","x":[1,2],' + one + "}") for one in [
        '"forward_mask":[[1]],"backward_mask":[[1]]', '"forward_mask":[1],"backward_mask":[0]',
        '"forward_mask":[1],"backward_mask":[1,0]', '"forward_mask":[2],"backward_mask":[0]',
        '"forward_mask":[],"backward_mask":[0]', '"forward_mask":[0,"a"],"backward_mask":[0]']]
    return found
