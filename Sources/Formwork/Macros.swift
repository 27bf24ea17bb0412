// SPDX-License-Identifier: Apache-2.0

/// Derives a JSON schema from a struct or enum, so that its values can be made from text.
///
///     @Structured
///     struct Contact {
///         /// The person's full name.
///         var name: String
///         @Guide(description: "Age in years", .range(0...150)) var age: Int?
///         @Guide(.count(1...5)) var tags: [String]
///     }
///
/// The first paragraph of a documentation comment becomes the description, unless `description` gives another. See
/// <doc:TypesAndSchemas> for what becomes of each type.
@attached(
    extension, conformances: Structured, StructuredChoice,
    names: named(PartiallyFilled), named(structuredSchema(in:)), named(init(structuredValue:)), named(structuredValue),
    named(partiallyFilled(from:)), named(structuredChoices), named(structuredDescription)
)
public macro Structured(description: String? = nil) =
    #externalMacro(module: "FormworkMacros", type: "StructuredMacro")

/// Says what a property of a `@Structured` type must be like, and describes it to the model.
///
///     @Guide(description: "Age in years", .range(0...150)) var age: Int?
///
/// What the guides say is enforced: no value that breaks one can be made. See ``ValueGuide`` for the guides that there
/// are.
@attached(peer)
public macro Guide<Value>(description: String? = nil, _ guides: ValueGuide<Value>...) =
    #externalMacro(module: "FormworkMacros", type: "GuideMacro")

/// Describes a property of a `@Structured` type to the model.
@attached(peer)
public macro Guide(description: String) = #externalMacro(module: "FormworkMacros", type: "GuideMacro")
